#include "data/chat/chat_template.h"

#include <algorithm>

#include "data/chat/evaluator.h"
#include "data/chat/parser.h"
#include "data/text/utf8.h"

namespace rootstock {

struct ChatTemplateParts {
    std::string what;
    chat::Body body;
    bool marks_generation = false;
};

namespace {

using chat::Value;
using Variables = std::vector<std::pair<std::string, Value>>;

Result<void> check_utf8(std::string_view text, std::string_view what) {
    for (std::size_t at = 0; at < text.size();) {
        auto length = decode_utf8(text.substr(at)).length;
        if (length == 0)
            return fail(ErrorCode::invalid_argument,
                        fmt::format("{} is not valid UTF-8 at byte {}; save it as UTF-8", what, at));
        at += length;
    }
    return {};
}

// Anything below that marks generation. The tree is at most as deep as the parser let it be.
bool marks(const chat::Body& body);
struct Marks {
    bool operator()(const chat::Generation&) const { return true; }
    bool operator()(const chat::If& node) const {
        return marks(node.otherwise) ||
               std::ranges::any_of(node.branches, [](const auto& branch) { return marks(branch.second); });
    }
    bool operator()(const chat::For& node) const { return marks(node.body) || marks(node.otherwise); }
    bool operator()(const chat::SetBlock& node) const { return marks(node.body); }
    bool operator()(const chat::FilterBlock& node) const { return marks(node.body); }
    bool operator()(const chat::With& node) const { return marks(node.body); }
    bool operator()(const chat::MacroDefinition& node) const { return marks(node.macro->body); }
    bool operator()(const chat::CallBlock& node) const { return marks(node.caller->body); }
    bool operator()(const auto&) const { return false; }
};
bool marks(const chat::Body& body) {
    return std::ranges::any_of(body, [](const auto& statement) { return std::visit(Marks{}, statement.node); });
}

Result<void> put(Variables& variables, std::string_view name, const json::value& value) {
    auto is_name = [name](const auto& held) { return held.first == name; };
    if (std::ranges::any_of(variables, is_name)) return {};
    ROOTSTOCK_TRY(converted, chat::from_json(value));
    variables.emplace_back(name, std::move(converted));
    return {};
}

Result<Variables> variables_of(const json::value& messages, const ChatOptions& options) {
    Variables variables;
    for (const auto& [name, value] : options.variables) ROOTSTOCK_CHECKED(put(variables, name, value));
    for (const auto& [name, value] : options.special_tokens) ROOTSTOCK_CHECKED(put(variables, name, value));
    ROOTSTOCK_CHECKED(put(variables, "messages", messages));
    ROOTSTOCK_CHECKED(put(variables, "tools", options.tools));
    ROOTSTOCK_CHECKED(put(variables, "documents", options.documents));
    ROOTSTOCK_CHECKED(put(variables, "add_generation_prompt", options.add_generation_prompt));
    return variables;
}

}  // namespace

Result<ChatTemplate> ChatTemplate::parse(std::string_view text, std::string_view what, const ChatLimits& limits) {
    if (text.empty())
        return fail(ErrorCode::not_found,
                    fmt::format("{} has no chat template; use an instruction-tuned model, or hand a template in", what),
                    {}, "chat_template_missing");
    if (text.size() > limits.template_bytes_max)
        return fail(ErrorCode::too_large,
                    fmt::format("the chat template of {} is larger than {} bytes", what, limits.template_bytes_max),
                    "template_bytes_max", "chat_template_limit");
    ROOTSTOCK_CHECKED(check_utf8(text, fmt::format("the chat template of {}", what)));
    auto body = chat::parse_template(text);
    if (!body) {
        auto error = body.error();
        error.message = fmt::format("the chat template of {}, {}", what, error.message);
        return fail(std::move(error));
    }
    auto parts = std::make_shared<ChatTemplateParts>();
    parts->what = what;
    parts->marks_generation = marks(*body);
    parts->body = std::move(*body);
    return ChatTemplate(std::move(parts));
}

Result<RenderedChat> ChatTemplate::run(const json::value& messages, const ChatOptions& options) const {
    if (!messages.is_array())
        return fail(ErrorCode::invalid_argument, "messages must be a list of objects with role and content",
                    "messages");
    ROOTSTOCK_TRY(variables, variables_of(messages, options));
    chat::Evaluator evaluator(options.limits, options.clock ? *options.clock : system_clock(), std::move(variables));
    if (auto done = evaluator.run(parts_->body); !done) {
        auto error = done.error();
        error.message =
            fmt::format("the chat template of {}, line {}: {}", parts_->what, evaluator.line(), error.message);
        return fail(std::move(error));
    }
    RenderedChat chat{evaluator.take_output(), {}};
    for (auto span : evaluator.take_spans())
        chat.assistant.push_back({std::min(span.begin, chat.text.size()), std::min(span.end, chat.text.size())});
    return chat;
}

Result<std::string> ChatTemplate::render(const json::value& messages, const ChatOptions& options) const {
    ROOTSTOCK_TRY(chat, run(messages, options));
    return std::move(chat.text);
}

bool ChatTemplate::marks_generation() const { return parts_->marks_generation; }

namespace {

std::size_t shared_length(std::string_view left, std::string_view right) {
    return static_cast<std::size_t>(std::ranges::mismatch(left, right).in1 - left.begin());
}

// Not inside a character, and not inside a marker that opens and is not closed yet.
std::size_t tidy_end(std::string_view text, std::size_t begin, std::size_t end) {
    while (end > begin && end < text.size() && is_continuation_byte(text[end])) --end;
    if (end == text.size()) return end;
    auto part = text.substr(begin, end - begin);
    for (auto [open, close] : {std::pair{'<', '>'}, {'[', ']'}}) {
        auto place = part.rfind(open);
        if (place == std::string_view::npos || part.find(close, place) != std::string_view::npos) continue;
        auto rest = text.substr(end);
        if (rest.substr(0, 64).find(close) != std::string_view::npos) part = part.substr(0, place);
    }
    return begin + part.size();
}

bool is_assistant(const json::value& message) {
    const auto* object = message.if_object();
    const auto* role = object ? object->if_contains("role") : nullptr;
    return role && role->is_string() && role->get_string() == "assistant";
}

}  // namespace

Result<RenderedChat> ChatTemplate::render_marked(const json::value& messages, const ChatOptions& options) const {
    ROOTSTOCK_TRY(whole, run(messages, options));
    if (parts_->marks_generation) return std::move(whole);
    const auto& all = messages.get_array();
    ChatOptions prompting = options, plain = options;
    prompting.add_generation_prompt = true;
    plain.add_generation_prompt = false;
    json::array so_far;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (is_assistant(all[i])) {
            ROOTSTOCK_TRY(before, render(so_far, prompting));
            so_far.push_back(all[i]);
            ROOTSTOCK_TRY(after, render(so_far, plain));
            std::size_t begin = before.size(), end = shared_length(after, whole.text);
            if (!whole.text.starts_with(before) || end <= begin)
                return fail(ErrorCode::unsupported,
                            fmt::format("the chat template of {} writes message {} differently once others follow, so "
                                        "its words cannot be marked; use a template with {{% generation %}} blocks",
                                        parts_->what, i + 1),
                            "messages", "chat_template_unmarked");
            whole.assistant.push_back({begin, tidy_end(whole.text, begin, end)});
        } else
            so_far.push_back(all[i]);
    }
    return std::move(whole);
}

}  // namespace rootstock
