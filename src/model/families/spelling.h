#pragma once
// How a family's files spell a canonical tensor, for whoever compares with them or writes them.

#include <string>
#include <string_view>
#include <vector>

#include "model/spec/spec.h"

namespace rootstock {

struct FileSpelling {
    std::vector<std::string> names;  // the usual one first; empty: the family has no such tensor
    bool transposed = false;         // [in, out] instead of [out, in]
    int part = 0, parts = 1;         // it is the part-th of `parts` equal pieces of a fused map's outputs
};

FileSpelling file_spelling(const TransformerSpec& spec, std::string_view canonical);

}  // namespace rootstock
