#pragma once
// What a text may be, as a caller orders it, made into a constraint over a model's vocabulary.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "flow/served.h"

namespace rootstock {

struct TextShape {
    enum class Kind { any, json_object, json_schema, regex, choices, grammar, tools };
    Kind kind = Kind::any;
    json::value schema{};                // json_schema
    bool strict = false;                 // json_schema: OpenAI's strict mode
    std::string pattern{};               // regex, grammar
    std::vector<std::string> choices{};  // choices
    json::array tools{};                 // tools: those that may be called, as OpenAI describes them
    bool words = false;                  // tools: or words instead of calls
    bool several = true;                 // tools: more than one call
    std::string param{};                 // the field that ordered it, for errors
};

// Null for Kind::any. `owner` keeps its constraints apart from others' in the model's cache. Errors as
// infer/constrain/compile.h, with the field's name.
Result<std::shared_ptr<const Constraint>> compile_shape(const TextShape& shape, const ServedModel& model,
                                                        std::string_view owner);

}  // namespace rootstock
