#pragma once
// What a family contributes: the spec from its config.json, and its own names for the canonical ones. No code of a
// family computes anything; to add one, write its three functions and a line in family.cpp.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "model/spec/spec.h"

namespace rootstock {

struct Family {
    const char* name;  // model_type of config.json

    // The options, checked: a wrong field or an option we do not run comes back as an error naming it. Whether the
    // folder really has a pooler is seen from its tensors.
    Result<TransformerSpec> (*spec)(const json::value& config, std::string_view what);

    // Names under which files carry a canonical tensor, the usual one first.
    std::vector<std::string> (*tensor_names)(std::string_view canonical);

    // The path of a linear map as transformers and peft spell it: "layers.0.query" ->
    // "bert.encoder.layer.0.attention.self.query".
    std::string (*module_path)(std::string_view module);

    // Prefix of the encoder inside a model with a head ("bert."); a bare encoder's paths lack it.
    const char* prefix;

    // Heads that a classifier of this family has, by their name in files.
    const char* classifier;
};

// unsupported, naming the family and those we run.
Result<const Family*> find_family(std::string_view model_type);

// Of a spec, which came from a family: asserted.
const Family& family_of(const TransformerSpec& spec);

extern const Family bert_family;

}  // namespace rootstock
