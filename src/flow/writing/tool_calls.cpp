#include "flow/writing/tool_calls.h"

namespace rootstock {
namespace {

constexpr std::string_view opening = "<tool_call>", closing = "</tool_call>", listing = "[TOOL_CALLS]";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<ToolCall> call_of(const json::value& value) {
    const auto* object = value.if_object();
    const auto* name = object ? object->if_contains("name") : nullptr;
    if (!name || !name->is_string()) return std::nullopt;
    const auto* arguments = object->if_contains("arguments");
    if (!arguments) arguments = object->if_contains("parameters");
    if (!arguments) return ToolCall{std::string(name->get_string()), "{}"};
    // Some models write the arguments as a text of their own.
    auto text = arguments->is_string() ? std::string(arguments->get_string()) : json::serialize(*arguments);
    return ToolCall{std::string(name->get_string()), std::move(text)};
}

std::optional<ToolCall> read_call(std::string_view text) {
    const auto value = parse_json(trimmed(text), "a call");
    return value ? call_of(*value) : std::nullopt;
}

ToolReading read_marked(std::string_view text) {
    ToolReading reading;
    std::size_t at = 0;
    for (auto begin = text.find(opening); begin != std::string_view::npos; begin = text.find(opening, at)) {
        const auto body = begin + opening.size();
        const auto end = text.find(closing, body);
        auto call = read_call(text.substr(body, end == std::string_view::npos ? end : end - body));
        if (!call) break;
        reading.words += text.substr(at, begin - at);
        reading.calls.push_back(std::move(*call));
        at = end == std::string_view::npos ? text.size() : end + closing.size();
    }
    reading.words += text.substr(at);
    return reading;
}

ToolReading read_listed(std::string_view text) {
    const auto begin = text.find(listing);
    if (begin == std::string_view::npos) return {std::string(text), {}};
    ToolReading reading{std::string(text.substr(0, begin)), {}};
    const auto value = parse_json(trimmed(text.substr(begin + listing.size())), "the calls");
    const auto* list = value ? value->if_array() : nullptr;
    for (std::size_t i = 0; list && i < list->size(); ++i)
        if (auto call = call_of((*list)[i])) reading.calls.push_back(std::move(*call));
    return reading.calls.empty() ? ToolReading{std::string(text), {}} : reading;
}

ToolReading read_bare(std::string_view text) {
    auto call = read_call(text);
    if (!call) return {std::string(text), {}};
    return {{}, {std::move(*call)}};
}

}  // namespace

ToolForm tool_form(std::string_view chat_template) {
    const auto has = [&](std::string_view word) { return chat_template.find(word) != std::string_view::npos; };
    if (!has("tools")) return ToolForm::none;
    if (has(opening)) return ToolForm::marked;
    if (has(listing)) return ToolForm::listed;
    return ToolForm::bare;
}

ToolReading read_tool_calls(ToolForm form, std::string_view text) {
    ToolReading reading{std::string(text), {}};
    if (form == ToolForm::bare)
        reading = read_bare(text);
    else if (form == ToolForm::marked)
        reading = read_marked(text);
    else if (form == ToolForm::listed)
        reading = read_listed(text);
    if (!reading.calls.empty()) reading.words = trimmed(reading.words);
    return reading;
}

std::string_view tool_mark(ToolForm form) {
    return form == ToolForm::marked ? opening : form == ToolForm::listed ? listing : std::string_view();
}

}  // namespace rootstock
