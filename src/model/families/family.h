#pragma once
// What a family contributes: the spec from its config.json, and its own names for the canonical ones. No code of a
// family computes anything; to add one, write its spec function and tables (names.h) and a line in family.cpp.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "model/families/names.h"
#include "model/spec/spec.h"

namespace rootstock {

// How a canonical tensor stands in the family's files.
struct TensorForm {
    bool transposed = false;  // [in, out] instead of [out, in]
    int part = 0, parts = 1;  // it is the part-th of `parts` equal pieces of a fused map's outputs
};

struct Family {
    const char* name;  // model_type of config.json

    // The options, checked: a wrong field or an option we do not run comes back as an error naming it. Whether the
    // folder really has a pooler and a head is seen from its tensors (load_model).
    Result<TransformerSpec> (*spec)(const json::value& config, std::string_view what);

    const FamilyNames& names;

    // Prefix of the body inside a model with a head ("bert."); a bare body's paths lack it.
    const char* prefix;

    // A classifier's last map, by its name in files ("classifier", "score").
    const char* classifier;

    // Null where every tensor stands in files as we want it.
    TensorForm (*tensor_form)(std::string_view canonical) = nullptr;

    // The same family where the MLP is plain, if its names or forms differ then (T5: wi for wi_0 and wi_1).
    const Family* plain = nullptr;

    // Names under which files carry a canonical tensor, the usual one first.
    std::vector<std::string> tensor_names(std::string_view canonical) const { return file_names(names, canonical); }

    // The path of a linear map as transformers and peft spell it: "layers.0.query" ->
    // "bert.encoder.layer.0.attention.self.query". Maps that a family fuses (GPT-2's c_attn) share a path.
    std::string module_path(std::string_view module) const { return file_path(names, module); }

    TensorForm form(std::string_view canonical) const { return tensor_form ? tensor_form(canonical) : TensorForm{}; }
};

// unsupported, naming the family and those we run.
Result<const Family*> find_family(std::string_view model_type);

// The family whose names a spec's tensors have. The spec came from a family: asserted.
const Family& family_of(const TransformerSpec& spec);

extern const Family bert_family, roberta_family, xlm_roberta_family, distilbert_family;
extern const Family gpt2_family;
extern const Family llama_family, mistral_family, qwen2_family;
extern const Family t5_family, mt5_family;
extern const Family vit_family, deit_family;
extern const Family table_family;

}  // namespace rootstock
