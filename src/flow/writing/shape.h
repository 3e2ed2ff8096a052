#pragma once
// What a text may be, as a caller orders it, made into a constraint over a model's vocabulary.

#include <memory>
#include <string>
#include <vector>

#include "base/base.h"
#include "infer/infer.h"

namespace rootstock {

struct TextShape {
    enum class Kind { any, json_object, json_schema, regex, choices, grammar };
    Kind kind = Kind::any;
    json::value schema{};                // json_schema
    bool strict = false;                 // json_schema: OpenAI's strict mode
    std::string pattern{};               // regex, grammar
    std::vector<std::string> choices{};  // choices
    std::string param{};                 // the field that ordered it, for errors
};

// Null for Kind::any. Errors as infer/constrain/compile.h, with the field's name.
Result<std::shared_ptr<const Constraint>> compile_shape(const TextShape& shape,
                                                        std::shared_ptr<const OutputVocabulary> vocabulary);

}  // namespace rootstock
