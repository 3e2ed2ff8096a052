#pragma once
// The compilers: from what a caller writes to a Constraint. All of them are bounded: a hostile schema costs some
// milliseconds and is refused.
//
// Errors of all: invalid_argument with reason "constraint_invalid" (it contradicts its own syntax; the sentence says
// where), "constraint_unsupported" (a keyword or construct that cannot be compiled, by its name and place) or
// "constraint_impossible" (no text satisfies it, or none that this vocabulary can write); too_large,
// "constraint_too_large".

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/base.h"
#include "infer/constrain/constraint.h"
#include "infer/constrain/output_vocabulary.h"

namespace rootstock {

using CompiledConstraint = Result<std::shared_ptr<const Constraint>>;
using SharedVocabulary = std::shared_ptr<const OutputVocabulary>;

// The whole text matches a regular expression. Known: characters, ., [classes], \d \w \s and their opposites, \t \n \r
// \f \v \0 \xHH \uHHHH \u{...}, \p{...} (Unicode categories and scripts), groups, alternatives, * + ? {n} {n,} {n,m}
// (also lazy, which changes nothing here), ^ and $ at the ends. Where dialects disagree about a character (\d beyond
// ASCII, what . leaves out), it is in neither the class nor its opposite, so that what is written matches in all of
// them. Refused by name: references to groups, looking ahead or behind, word boundaries, atomic groups, flags.
CompiledConstraint compile_regex(std::string_view pattern, SharedVocabulary vocabulary);

// The text is one of these.
CompiledConstraint compile_choices(std::span<const std::string> choices, SharedVocabulary vocabulary);

// The text is in the language of a grammar (docs/formats/grammar.md); it begins with the rule "root".
CompiledConstraint compile_grammar(std::string_view grammar, SharedVocabulary vocabulary);

struct JsonSchemaOptions {
    // OpenAI's strict mode: every object lists all its properties as required and allows no others, else the schema is
    // refused.
    bool strict = false;
};

// The text is JSON (RFC 8259) that validates against a schema (JSON Schema draft 2020-12; docs/formats/json-schema.md
// says which keywords). Properties come in the schema's order.
CompiledConstraint compile_json_schema(const json::value& schema, SharedVocabulary vocabulary,
                                       const JsonSchemaOptions& options = {});

// The text is a JSON object, any.
CompiledConstraint compile_json_object(SharedVocabulary vocabulary);

// A tool that a model may call.
struct CallableTool {
    std::string name;
    json::value parameters;  // the schema of its arguments, an object; null: no arguments
    bool strict = false;     // as of JsonSchemaOptions; otherwise the schema counts all the same
};

// How a model was taught to write calls: <tool_call>{"name": "f", "arguments": {...}}</tool_call>, say.
struct ToolCallText {
    std::string open = "<tool_call>", close = "</tool_call>";  // around a call, or a list of them; may be empty
    std::string arguments = "arguments";                       // the field's name
    bool list = false;                                         // calls stand in a JSON array
};

struct ToolCallOptions {
    ToolCallText text = {};
    bool words_allowed = false;  // words may come before, or instead; else the answer is calls and nothing else
    bool several = true;         // more than one call; never where they stand bare
};

// The text calls tools: names that exist, arguments that validate. With words_allowed the text is free until the mark
// that begins a call; without marks it is a call where it begins with {, and words otherwise.
CompiledConstraint compile_tool_calls(std::span<const CallableTool> tools, const ToolCallOptions& options,
                                      SharedVocabulary vocabulary);

}  // namespace rootstock
