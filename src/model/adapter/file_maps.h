#pragma once
// Linear maps as a family's files and peft count them: most are ours one by one, but a family may keep several of ours
// as one (GPT-2's c_attn is query, key and value below each other).

#include <map>
#include <string>
#include <vector>

#include "model/adapter/adapter.h"
#include "model/spec/spec.h"

namespace rootstock {

struct FileMap {
    std::string path;             // inside a classifier: "transformer.h.0.attn.c_attn"
    std::string bare_path;        // in a bare body: "h.0.attn.c_attn"
    std::vector<LinearMap> maps;  // their outputs stand in this order
    bool transposed = false;      // files hold the weight as [in, out]

    int in() const { return maps.front().in; }
    int out() const;
    const std::string& path_in(bool classifier) const { return classifier ? path : bare_path; }
};

// Every map that an adapter can be grafted on, in order of execution.
std::vector<FileMap> file_maps(const TransformerSpec& spec);

// The pairs of our maps as one pair of the file's map, which computes the same. Maps with the same A keep their rank;
// otherwise the A stand below each other and the B on a diagonal, so the ranks add up.
LoraPair fused_pair(const FileMap& map, const std::map<std::string, LoraPair>& pairs);

// The other way: each of our maps takes its own rows of B, and of A what these rows use.
void split_pair(const FileMap& map, LoraPair pair, std::map<std::string, LoraPair>& pairs);

// Whether any of the map's parts has a pair.
bool has_pair(const FileMap& map, const std::map<std::string, LoraPair>& pairs);

}  // namespace rootstock
