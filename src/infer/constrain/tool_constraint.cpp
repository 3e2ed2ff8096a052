#include "infer/constrain/doors.h"
#include "infer/constrain/network.h"
#include "infer/constrain/schema/schema_compiler.h"

namespace rootstock {

namespace {

using namespace constrain;

constexpr std::size_t tools_max = 128;

// {"name": "f", "arguments": {...}} of one of the tools.
Part one_call(std::span<const CallableTool> tools, const ToolCallText& marks, Rules& rules, Budget& budget) {
    static const json::value no_arguments = {{"type", "object"}, {"additionalProperties", false}};
    JsonRules json(rules);
    std::vector<Part> ways;
    for (const auto& tool : tools) {
        const auto& schema = tool.parameters.is_null() ? no_arguments : tool.parameters;
        const auto arguments = SchemaCompiler(schema, tool.strict, rules, json, budget).compile();
        ways.push_back(json.list('{',
                                 sequence({json.member(text("\"name\""), text(spelled(tool.name))), json.comma(),
                                           json.member(text(spelled(marks.arguments)), arguments)}),
                                 '}'));
    }
    return choice(std::move(ways));
}

Part calls(const Part& one, const ToolCallText& marks, bool several) {
    const auto open = text(marks.open), close = text(marks.close);
    const auto more = [&](const Part& between) {
        return several ? repeat(sequence({between, one}), 0, without_end) : nothing();
    };
    if (marks.list) {
        const auto gap = maybe(text(" "));
        return sequence({open, gap, text("["), one, more(text(", ")), text("]"), close});
    }
    if (marks.open.empty()) return one;
    const auto line = text("\n");
    const auto tagged = sequence({open, line, one, line, close});
    return several ? sequence({tagged, repeat(sequence({line, tagged}), 0, without_end)}) : tagged;
}

// Any text in which no call begins: the opening mark stands nowhere in it; without marks, it does not begin with {.
Part words(const ToolCallText& marks, Budget& budget) {
    const auto any = repeat(characters(CharacterSet::all()), 0, without_end);
    const auto calling =
        marks.open.empty()
            ? sequence({repeat(characters({{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}}), 0, without_end), text("{"), any})
            : sequence({any, text(marks.open), any});
    return automaton(difference(automaton_of(any, nullptr, budget), automaton_of(calling, nullptr, budget), budget));
}

}  // namespace

CompiledConstraint compile_tool_calls(std::span<const CallableTool> tools, const ToolCallOptions& options,
                                      SharedVocabulary vocabulary) {
    return compiled(std::move(vocabulary), [&](Rules& rules, Budget& budget) {
        if (tools.empty() || tools.size() > tools_max)
            refuse(ErrorCode::invalid_argument, "there must be 1 to " + std::to_string(tools_max) + " tools",
                   "constraint_invalid");
        const auto& marks = options.text;
        const int one = rules.add();
        rules.define(one, one_call(tools, marks, rules, budget));
        auto body = calls(call(one), marks, options.several);
        if (options.words_allowed && marks.open.empty())
            body = choice({words(marks, budget), body});
        else if (options.words_allowed)
            body = sequence({words(marks, budget), maybe(body)});
        rules.define(0, std::move(body));
    });
}

}  // namespace rootstock
