// One line of a chat file: which form it has, and each message in the shape that templates read.

#include <algorithm>
#include <array>

#include "data/dataset/chat_dataset.h"

namespace rootstock {
namespace {

constexpr std::array<std::string_view, 6> roles = {"system", "developer", "user", "assistant", "tool", "function"};
constexpr std::array<std::string_view, 8> message_fields = {"role",       "content",      "weight",        "name",
                                                            "tool_calls", "tool_call_id", "function_call", "refusal"};
constexpr std::array<std::string_view, 4> row_fields = {"messages", "tools", "functions", "parallel_tool_calls"};

// The field at fault and the reason, as a Problem has them.
std::unexpected<Error> bad(std::string field, std::string reason) {
    return fail(ErrorCode::invalid_argument, std::move(reason), std::move(field));
}

std::string quoted(std::string_view word) { return "'" + std::string(word.substr(0, 40)) + "'"; }

template <typename Names>
Result<void> check_fields(const json::object& object, const Names& known, const std::string& where) {
    for (const auto& field : object)
        if (std::ranges::find(known, std::string_view(field.key())) == known.end())
            return bad(where, "there is no field " + quoted(field.key()) + " here; remove it or mend its name");
    return {};
}

// ---- one message

// A text, or a list of parts that are all text.
Result<json::value> content_of(const json::value& content, const std::string& where) {
    if (content.is_string() || content.is_null()) return content;
    const auto* parts = content.if_array();
    if (!parts) return bad(where + ".content", "the content must be text");
    std::string text;
    for (const auto& part : *parts) {
        const auto* object = part.if_object();
        const auto* type = object ? object->if_contains("type") : nullptr;
        const auto* words = object ? object->if_contains("text") : nullptr;
        if (type && type->is_string() && type->get_string() != "text" && type->get_string() != "input_text" &&
            type->get_string() != "output_text")
            return bad(where + ".content", "a part is of type " + quoted(std::string_view(type->get_string())) +
                                               "; only text can be learned here");
        if (!type || !words || !words->is_string())
            return bad(where + ".content", "each part must be {\"type\": \"text\", \"text\": ...}");
        text += std::string_view(words->get_string());
    }
    return json::value(text);
}

// Templates go through the arguments by name, so the JSON text that the API has becomes an object again.
Result<json::value> call_of(const json::value& call, const std::string& where) {
    const auto* object = call.if_object();
    const auto* function = object ? object->if_contains("function") : nullptr;
    const auto* named = function ? function->if_object() : nullptr;
    const auto* name = named ? named->if_contains("name") : nullptr;
    if (!name || !name->is_string())
        return bad(where, "each tool call needs {\"type\": \"function\", \"function\": {\"name\", \"arguments\"}}");
    json::object result = *object, inner = *named;
    if (const auto* arguments = named->if_contains("arguments"); arguments && arguments->is_string()) {
        auto parsed = parse_json(std::string_view(arguments->get_string()), "arguments");
        if (!parsed || !parsed->is_object())
            return bad(where,
                       "the arguments of " + quoted(std::string_view(name->get_string())) + " are not a JSON object");
        inner["arguments"] = std::move(*parsed);
    }
    result["function"] = std::move(inner);
    return json::value(std::move(result));
}

Result<void> read_calls(const json::object& given, const std::string& where, json::object& message) {
    const auto* calls = given.if_contains("tool_calls");
    if (!calls || calls->is_null()) return {};
    if (!calls->is_array() || calls->get_array().empty()) return bad(where + ".tool_calls", "must be a list of calls");
    json::array all;
    for (const auto& call : calls->get_array()) {
        ROOTSTOCK_TRY(read, call_of(call, where + ".tool_calls"));
        all.push_back(std::move(read));
    }
    message["tool_calls"] = std::move(all);
    return {};
}

Result<float> weight_of(const json::object& message, bool assistant, const std::string& where) {
    const auto* weight = message.if_contains("weight");
    if (!weight) return assistant ? 1.0f : 0.0f;
    if (!assistant) return bad(where + ".weight", "only messages of the assistant have a weight; remove it");
    if (!weight->is_number()) return bad(where + ".weight", "the weight must be a number from 0 to 1");
    auto value = weight->to_number<double>();
    if (!(value >= 0 && value <= 1)) return bad(where + ".weight", "the weight must lie from 0 to 1");
    return static_cast<float>(value);
}

Result<void> check_text_fields(const json::object& message, const std::string& where) {
    for (const char* name : {"name", "tool_call_id", "refusal"})
        if (const auto* value = message.if_contains(name); value && !value->is_string() && !value->is_null())
            return bad(where + "." + name, "must be text");
    return {};
}

Result<void> read_message(const json::value& value, std::size_t number, ChatExample& example) {
    const auto where = "messages[" + std::to_string(number) + "]";
    const auto* given = value.if_object();
    if (!given) return bad(where, "each message must be an object with role and content");
    ROOTSTOCK_CHECKED(check_fields(*given, message_fields, where));
    const auto* role = given->if_contains("role");
    if (!role || !role->is_string() || std::ranges::find(roles, std::string_view(role->get_string())) == roles.end())
        return bad(where + ".role", "the role must be system, developer, user, assistant, tool or function");
    ROOTSTOCK_CHECKED(check_text_fields(*given, where));
    const bool assistant = role->get_string() == "assistant";
    ROOTSTOCK_TRY(weight, weight_of(*given, assistant, where));
    json::object message;
    for (const auto& field : *given)
        if (!field.value().is_null() && field.key() != "weight") message.insert(field);
    const auto* content = given->if_contains("content");
    ROOTSTOCK_TRY(text, content_of(content ? *content : json::value(), where));
    ROOTSTOCK_CHECKED(read_calls(*given, where, message));
    const bool calls = message.contains("tool_calls") || message.contains("function_call");
    if (calls && !assistant) return bad(where, "only the assistant calls tools");
    if (text.is_null() && !calls) return bad(where + ".content", "the content is missing");
    message["content"] = std::move(text);
    example.messages.push_back(std::move(message));
    example.weights.push_back(weight);
    return {};
}

// ---- one row

Result<void> read_tools(const json::object& row, ChatExample& example) {
    for (const char* name : {"tools", "functions"})
        if (const auto* value = row.if_contains(name); value && !value->is_array() && !value->is_null())
            return bad(name, "must be a list");
    if (const auto* tools = row.if_contains("tools")) example.tools = *tools;
    const auto* functions = row.if_contains("functions");
    if (!functions || functions->is_null()) return {};
    if (!example.tools.is_null()) return bad("functions", "is the older name of tools; give one of the two");
    json::array tools;
    for (const auto& function : functions->get_array())
        tools.push_back(json::object{{"type", "function"}, {"function", function}});
    example.tools = std::move(tools);
    return {};
}

Result<ChatExample> read_conversation(const json::object& row, const ChatReadOptions& options) {
    ROOTSTOCK_CHECKED(check_fields(row, row_fields, ""));
    const auto* messages = row.at("messages").if_array();
    if (!messages || messages->empty()) return bad("messages", "must be a list of messages, with at least one");
    if (messages->size() > options.messages_max)
        return bad("messages", "there are more than " + format_count(options.messages_max) + " messages");
    ChatExample example;
    ROOTSTOCK_CHECKED(read_tools(row, example));
    for (std::size_t i = 0; i < messages->size(); ++i) ROOTSTOCK_CHECKED(read_message((*messages)[i], i, example));
    if (example.messages.back().at("role").get_string() != "assistant")
        return bad("messages", "the last message must be the assistant's: it is what is learned");
    if (std::ranges::all_of(example.weights, [](float weight) { return weight == 0; }))
        return bad("messages", "every message of the assistant has weight 0, so there is nothing to learn");
    return example;
}

Result<ChatExample> read_completion(const json::object& row) {
    ROOTSTOCK_CHECKED(check_fields(row, std::array<std::string_view, 2>{"prompt", "completion"}, ""));
    ChatExample example;
    for (auto [name, place] : {std::pair{"prompt", &example.prompt}, {"completion", &example.completion}}) {
        const auto* value = row.if_contains(name);
        if (!value || !value->is_string()) return bad(name, "must be text");
        *place = std::string(value->get_string());
    }
    if (example.completion.empty()) return bad("completion", "is empty, so there is nothing to learn");
    return example;
}

bool holds_preferences(const json::object& row) {
    for (const char* name : {"preferred_output", "non_preferred_output", "chosen", "rejected"})
        if (row.contains(name)) return true;
    return false;
}

}  // namespace

Result<ChatExample> read_chat_line(std::string_view line, const ChatReadOptions& options) {
    auto value = parse_json(line, "the line");
    if (!value) return bad("", value.error().message);
    const auto* row = value->if_object();
    if (!row) return bad("", "the line must be a JSON object");
    if (holds_preferences(*row))
        return bad("",
                   "the row holds a preferred and a rejected answer (DPO), which cannot be learned here yet; "
                   "give {\"messages\": [...]} with the answer to learn");
    if (row->contains("messages")) return read_conversation(*row, options);
    if (row->contains("prompt") || row->contains("completion")) return read_completion(*row);
    return bad("messages", "is missing: a row is {\"messages\": [...]} or {\"prompt\", \"completion\"}");
}

}  // namespace rootstock
