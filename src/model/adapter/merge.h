#pragma once
// Adapters merged into their base: one model that needs no adapter, as peft's merge_and_unload makes it.
//
//   LoRA, rsLoRA   W' = W + s B A                       s = alpha / rank, or alpha / sqrt(rank)
//   DoRA           W' = m / |W + s B A| (W + s B A)     row by row, | | the length of a row
//
// Read by module path, whatever the family: every model in a Hugging Face folder can be merged, also one that no
// executor of ours runs. Modules saved whole (a head, embeddings) replace the base's.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/base.h"
#include "model/files/host_tensor.h"
#include "model/files/stored_model.h"

namespace rootstock {

struct LowRankUpdate {
    int rank = 0;
    double scale = 1;
    HostTensor a;                  // [rank, in]
    HostTensor b;                  // [out, rank]
    std::vector<float> magnitude;  // [out] of a DoRA; empty otherwise
};

// A PEFT folder as it is, by module path ("bert.encoder.layer.0.attention.self.query").
struct PeftAdapter {
    std::map<std::string, LowRankUpdate> updates;
    std::map<std::string, HostTensor> saved;  // "classifier.weight": replaces the base's
    bool fan_in_fan_out = false;              // the base's maps stand as [in, out]
    std::string task_type;
    std::vector<std::string> labels;  // from rootstock.json; empty: not known
};

// not_found, corrupt (halves missing, ranks that contradict the configuration, numbers that are not finite),
// unsupported (other adapter kinds, by name).
Result<PeftAdapter> read_peft_adapter(const std::filesystem::path& folder);

// scale B A, [out, in], row-major.
std::vector<float> delta_of(const LowRankUpdate& update);

enum class MergedType {
    as_base,  // a changed tensor is rounded to the type it had (blocks become F32)
    f32,      // not rounded, for a writer that asks for another type
};

// The full model. invalid_argument, reason "adapter_misfit": a part that the base does not have, or of another shape.
Result<StoredModel> merged_model(StoredModel base, const PeftAdapter& adapter, MergedType type = MergedType::as_base);

}  // namespace rootstock
