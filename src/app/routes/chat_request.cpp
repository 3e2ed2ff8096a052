#include "app/routes/chat_request.h"

namespace rootstock {
namespace {

std::string place(std::size_t message, std::string_view rest) {
    return "messages[" + std::to_string(message) + "]" + std::string(rest);
}

// A text, or its parts one behind the other.
Result<std::string> words_of(const json::value& content, std::size_t message) {
    if (const auto* text = content.if_string()) return std::string(*text);
    std::string words;
    for (const auto& part : content.as_array()) {
        const auto& fields = part.as_object();
        const std::string_view type = fields.at("type").as_string();
        if (type != "text" && type != "refusal")
            return fail(ErrorCode::unsupported,
                        "'" + place(message, ".content") + "' has a part of type '" + std::string(type) +
                            "'; the models here read text only",
                        place(message, ".content"));
        words += fields.at(type).as_string();
    }
    return words;
}

// Arguments as an object, which is what templates print; a text that is none stays a text.
json::array calls_of(const json::value& calls) {
    json::array told;
    for (const auto& call : calls.as_array()) {
        json::object copy = call.as_object();
        auto& function = copy["function"].as_object();
        auto arguments = parse_json(function.at("arguments").as_string(), "the arguments");
        if (arguments && arguments->is_object()) function["arguments"] = std::move(*arguments);
        told.push_back(std::move(copy));
    }
    return told;
}

Result<json::object> message_of(const json::value& value, std::size_t index) {
    const auto fields = set_fields(value);
    const std::string_view role = fields.at("role").as_string();
    json::object message{{"role", role == "developer" ? "system" : role}, {"content", ""}};
    if (const auto* content = fields.if_contains("content")) {
        ROOTSTOCK_TRY(words, words_of(*content, index));
        message["content"] = words;
    }
    if (const auto* calls = fields.if_contains("tool_calls")) message["tool_calls"] = calls_of(*calls);
    for (const char* key : {"name", "tool_call_id"})
        if (const auto* text = fields.if_contains(key)) message[key] = *text;
    return message;
}

Result<Conversation> conversation_of(const json::object& fields) {
    Conversation talk;
    const auto& messages = fields.at("messages").as_array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        ROOTSTOCK_TRY(message, message_of(messages[i], i));
        talk.messages.push_back(std::move(message));
    }
    return talk;
}

Result<void> read_format(const json::object& fields, GenerateOrder& order) {
    const auto* format = fields.if_contains("response_format");
    if (!format) return {};
    const std::string_view type = format->as_object().at("type").as_string();
    if (type == "text") return {};
    if (order.shape.kind != TextShape::Kind::any)
        return fail(ErrorCode::invalid_argument,
                    "'response_format' and '" + order.shape.param + "' both say what the answer may be; send one",
                    "response_format");
    order.shape.param = "response_format";
    order.shape.kind = type == "json_object" ? TextShape::Kind::json_object : TextShape::Kind::json_schema;
    if (type == "json_object") return {};
    const auto schema = set_fields(format->as_object().at("json_schema"));
    const auto* rules = schema.if_contains("schema");
    order.shape.schema = rules ? *rules : json::value(json::object());
    const auto* strict = schema.if_contains("strict");
    order.shape.strict = strict && strict->as_bool();
    return {};
}

Result<void> read_logprobs(const json::object& fields, GenerateOrder& order) {
    const auto* wanted = fields.if_contains("logprobs");
    const auto* top = fields.if_contains("top_logprobs");
    const bool on = wanted && wanted->as_bool();
    if (top && !on) return fail(ErrorCode::invalid_argument, "'top_logprobs' needs \"logprobs\": true", "top_logprobs");
    if (on) order.logprobs = top ? top->to_number<int>() : 0;
    return {};
}

Result<void> read_length(const json::object& fields, GenerateOrder& order) {
    const auto* most = fields.if_contains("max_completion_tokens");
    const auto* older = fields.if_contains("max_tokens");
    if (most && older && *most != *older)
        return fail(ErrorCode::invalid_argument,
                    "'max_completion_tokens' and 'max_tokens' disagree; send the first alone", "max_tokens");
    if (const auto* length = most ? most : older) order.tokens_max = length->to_number<int>();
    return {};
}

// "none", "auto", "required", or the name of a function behind ':'.
std::string choice_of(const json::object& fields, bool tools) {
    const auto* choice = fields.if_contains("tool_choice");
    if (!choice) return tools ? "auto" : "none";
    if (const auto* word = choice->if_string()) return std::string(*word);
    return ":" + std::string(choice->as_object().at("function").as_object().at("name").as_string());
}

// All of them, or the one that the choice names.
Result<json::array> chosen_tools(const json::array& tools, const std::string& choice) {
    if (!choice.starts_with(':')) return tools;
    json::array chosen;
    for (const auto& tool : tools)
        if (std::string_view(tool.at("function").at("name").as_string()) == choice.substr(1)) chosen.push_back(tool);
    if (!chosen.empty()) return chosen;
    return fail(ErrorCode::invalid_argument,
                "'tool_choice' names the function '" + choice.substr(1) + "', which is not among 'tools'",
                "tool_choice");
}

// How the model says its calls. What is not found is told by the journey.
ToolForm form_of(const Exchange& exchange, const std::string& model) {
    const auto& services = exchange.services;
    const auto* base = services.models.called(model);
    if (!base) {
        auto adapter = services.records->read(
            [&](store::Session& session) { return catalog::resolve(session, exchange.caller.tenant, model); });
        if (adapter) base = services.models.of_digest(adapter->base_digest);
    }
    return base && base->chat ? base->chat->tools : ToolForm::none;
}

Result<void> read_tools(const json::object& fields, const Exchange& exchange, Conversation& talk,
                        ChatRequest& request) {
    const auto* tools = fields.if_contains("tools");
    const bool any = tools && !tools->as_array().empty();
    const auto choice = choice_of(fields, any);
    if (choice == "none") return {};
    if (!any) return fail(ErrorCode::invalid_argument, "'tool_choice' is sent without 'tools'", "tool_choice");
    request.tools = form_of(exchange, request.order.model);
    if (request.tools == ToolForm::none)
        return fail(ErrorCode::unsupported,
                    "the chat template of '" + request.order.model + "' has no place for tools; take another model",
                    "tools");
    auto& shape = request.order.shape;
    if (shape.kind != TextShape::Kind::any)
        return fail(ErrorCode::unsupported,
                    "'tools' and '" + shape.param + "' both say what the answer may be; send one of them", "tools");
    talk.tools = *tools;
    const auto* parallel = fields.if_contains("parallel_tool_calls");
    request.one_call = parallel && !parallel->as_bool();
    request.order.show_special = request.tools != ToolForm::marked;
    shape.kind = TextShape::Kind::tools;
    shape.param = "tools";
    shape.words = choice == "auto";
    shape.several = !request.one_call;
    ROOTSTOCK_TRY(callable, chosen_tools(tools->as_array(), choice));
    shape.tools = std::move(callable);
    return {};
}

}  // namespace

Result<ChatRequest> read_chat_request(const Exchange& exchange) {
    const auto fields = set_fields(exchange.body);
    ChatRequest request{begin_writing_order(exchange, fields, "chat"), stream_choice(fields)};
    ROOTSTOCK_TRY(talk, conversation_of(fields));
    ROOTSTOCK_CHECKED(read_format(fields, request.order));
    ROOTSTOCK_CHECKED(read_logprobs(fields, request.order));
    ROOTSTOCK_CHECKED(read_length(fields, request.order));
    ROOTSTOCK_CHECKED(read_tools(fields, exchange, talk, request));
    request.order.prompt = std::move(talk);
    return request;
}

}  // namespace rootstock
