#include "flow/writing/shape.h"

namespace rootstock {
namespace {

ToolCallText text_of(ToolForm form) {
    if (form == ToolForm::listed) return {std::string(tool_mark(form)), "", "arguments", true};
    if (form == ToolForm::bare) return {"", "", "parameters", false};
    return {};
}

std::vector<CallableTool> callable(const json::array& tools) {
    std::vector<CallableTool> all;
    for (const auto& tool : tools) {
        const auto& function = tool.at("function").as_object();
        const auto* parameters = function.if_contains("parameters");
        const auto* strict = function.if_contains("strict");
        all.push_back({std::string(function.at("name").as_string()), parameters ? *parameters : json::value(),
                       strict && strict->is_bool() && strict->get_bool()});
    }
    return all;
}

CompiledConstraint compile(const TextShape& shape, ToolForm form, SharedVocabulary vocabulary) {
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
        case TextShape::Kind::tools:
            return compile_tool_calls(callable(shape.tools), {text_of(form), shape.words, shape.several},
                                      std::move(vocabulary));
        case TextShape::Kind::any:
            break;
    }
    return std::shared_ptr<const Constraint>();
}

// All that a constraint is made from; the owner first, so that nobody finds another's.
std::string source_of(const TextShape& shape, std::string_view owner) {
    json::array choices(shape.choices.begin(), shape.choices.end());
    return json::serialize(json::array{owner, static_cast<int>(shape.kind), shape.schema, shape.strict, shape.pattern,
                                       std::move(choices), shape.tools, shape.words, shape.several});
}

}  // namespace

CompiledConstraint compile_shape(const TextShape& shape, const ServedModel& model, std::string_view owner) {
    if (shape.kind == TextShape::Kind::any) return std::shared_ptr<const Constraint>();
    const auto form = model.chat ? model.chat->tools : ToolForm::none;
    auto compiled = model.constraints().get(source_of(shape, owner), [&]() -> CompiledConstraint {
        ROOTSTOCK_TRY(vocabulary, model.vocabulary());
        return compile(shape, form, std::move(vocabulary));
    });
    if (!compiled) compiled.error().param = shape.param;
    return compiled;
}

}  // namespace rootstock
