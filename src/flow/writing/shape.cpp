#include "flow/writing/shape.h"

namespace rootstock {
namespace {

CompiledConstraint compile(const TextShape& shape, SharedVocabulary vocabulary) {
    switch (shape.kind) {
        case TextShape::Kind::json_object:
            return compile_json_object(std::move(vocabulary));
        case TextShape::Kind::json_schema:
            return compile_json_schema(shape.schema, std::move(vocabulary), {.strict = shape.strict});
        case TextShape::Kind::regex:
            return compile_regex(shape.pattern, std::move(vocabulary));
        case TextShape::Kind::choices:
            return compile_choices(shape.choices, std::move(vocabulary));
        case TextShape::Kind::grammar:
            return compile_grammar(shape.pattern, std::move(vocabulary));
        case TextShape::Kind::any:
            break;
    }
    return std::shared_ptr<const Constraint>();
}

}  // namespace

CompiledConstraint compile_shape(const TextShape& shape, SharedVocabulary vocabulary) {
    auto compiled = compile(shape, std::move(vocabulary));
    if (!compiled) compiled.error().param = shape.param;
    return compiled;
}

}  // namespace rootstock
