#include "flow/chat.h"

#include <algorithm>

#include "flow/process/interrupt.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

constexpr int context_tokens_usual = 8192;
constexpr std::size_t config_bytes_max = 16 << 20;

// "<s>", or {"content": "<s>", ...} in older files.
std::string token_text(const json::value& value) {
    if (const auto* text = value.if_string()) return std::string(*text);
    const auto* object = value.if_object();
    const auto* content = object ? object->if_contains("content") : nullptr;
    const auto* text = content ? content->if_string() : nullptr;
    return text ? std::string(*text) : std::string();
}

json::object special_tokens(const json::object& config) {
    json::object tokens;
    for (const auto& field : config) {
        if (!field.key().ends_with("_token")) continue;
        if (auto text = token_text(field.value()); !text.empty()) tokens[field.key()] = text;
    }
    return tokens;
}

// A template, or a list of named ones of which "default" is for conversations.
std::string template_text(const json::object& config) {
    const auto* value = config.if_contains("chat_template");
    if (!value) return {};
    if (const auto* text = value->if_string()) return std::string(*text);
    const auto* list = value->if_array();
    if (!list) return {};
    for (const auto& item : *list) {
        const auto* named = item.if_object();
        const auto* name = named ? named->if_contains("name") : nullptr;
        const auto* text = named ? named->if_contains("template") : nullptr;
        if (name && text && name->if_string() && text->if_string() && *name->if_string() == "default")
            return std::string(*text->if_string());
    }
    return {};
}

// The longest end of `text` that begins one of the stops.
std::size_t possible_beginning(std::string_view text, const std::vector<std::string>& stops) {
    std::size_t longest = 0;
    for (const auto& stop : stops)
        for (std::size_t length = std::min(text.size(), stop.size()); length > longest; --length)
            if (text.ends_with(std::string_view(stop).substr(0, length))) longest = length;
    return longest;
}

}  // namespace

Result<ChatForm> read_chat_form(const fs::path& folder) {
    json::object config;
    const auto config_file = folder / "tokenizer_config.json", template_file = folder / "chat_template.jinja";
    std::error_code code;
    if (fs::exists(config_file, code)) {
        ROOTSTOCK_TRY(text, read_file(config_file, config_bytes_max));
        ROOTSTOCK_TRY(value, parse_json(text, config_file.string()));
        if (value.is_object()) config = std::move(value.as_object());
    }
    std::string text = template_text(config);
    if (fs::exists(template_file, code)) {
        ROOTSTOCK_TRY(own, read_file(template_file, config_bytes_max));
        text = std::move(own);
    }
    if (text.empty())
        return fail(ErrorCode::unsupported,
                    folder.string() + " has no chat template; choose a model that was made for conversations", "model",
                    "no_chat_template");
    ROOTSTOCK_TRY(form, ChatTemplate::parse(text, "the chat template of " + folder.filename().string()));
    return ChatForm{std::move(form), special_tokens(config), tool_form(text)};
}

std::string StopFilter::push(std::string_view text) {
    if (stopped_) return {};
    held_ += text;
    auto first = std::string::npos;
    for (const auto& stop : stops_) first = std::min(first, held_.find(stop));
    if (first != std::string::npos) {
        stopped_ = true;
        return std::exchange(held_, {}).substr(0, first);
    }
    const auto safe = held_.size() - possible_beginning(held_, stops_);
    auto shown = held_.substr(0, safe);
    held_.erase(0, safe);
    return shown;
}

std::string StopFilter::finish() { return stopped_ ? std::string() : std::exchange(held_, {}); }

struct Chat::State {
    ChatSettings settings;
    Tokenizer tokenizer;
    ChatForm form;
    Generator generator;
    std::shared_ptr<const NativeAdapter> adapter;  // null: none
    int context_tokens = 0;
    std::shared_ptr<const Constraint> constraint{};
    json::array messages{};

    void begin() {
        messages.clear();
        if (!settings.system.empty())
            messages.push_back(json::object{{"role", "system"}, {"content", settings.system}});
    }
    Result<std::vector<std::int32_t>> prompt(const json::array& conversation) const;
};

Result<std::vector<std::int32_t>> Chat::State::prompt(const json::array& conversation) const {
    ChatOptions options;
    options.add_generation_prompt = true;
    options.special_tokens = form.special_tokens;
    ROOTSTOCK_TRY(text, form.form.render(conversation, options));
    std::vector<std::int32_t> ids;
    ROOTSTOCK_TRY(length, tokenizer.encode_ids(text, {.add_special_tokens = false}, ids));
    if (static_cast<int>(length) >= context_tokens)
        return fail(ErrorCode::too_long,
                    "the conversation has " + std::to_string(length) +
                        " tokens and leaves no room for an answer within " + std::to_string(context_tokens) +
                        "; begin a new one, or say less",
                    "message", "context_length_exceeded");
    return ids;
}

namespace {

// Null: none is wanted.
Result<std::shared_ptr<const NativeAdapter>> open_adapter(const ChatSettings& settings, const Model& model,
                                                          const std::shared_ptr<const NativeModel>& native,
                                                          const Tokenizer& tokenizer) {
    if (settings.adapter.empty()) return nullptr;
    ROOTSTOCK_TRY(adapter, load_adapter(settings.adapter, model.spec, settings.adapter_base_digest));
    if (adapter.head.classes > 0)
        return fail(ErrorCode::unsupported,
                    settings.adapter.string() + " classifies texts; to talk, choose an adapter of the task chat",
                    "adapter");
    ROOTSTOCK_TRY(ready, NativeAdapter::load(*native, adapter));
    Executor executor(native);
    ROOTSTOCK_CHECKED(check_self_tests(executor, *ready, adapter, tokenizer));
    return ready;
}

}  // namespace

Result<Chat> Chat::open(const fs::path& folder, ChatSettings settings) {
    ROOTSTOCK_CHECKED(check(settings.generate.sampling));
    std::erase(settings.stops, std::string());
    ROOTSTOCK_TRY(form, read_chat_form(folder));
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(folder));
    ROOTSTOCK_TRY(model, load_model(folder));
    const int longest = model.spec.positions_max;
    const int wanted = settings.context_tokens > 0 ? settings.context_tokens : context_tokens_usual;
    const int context = std::min(longest, wanted);
    std::shared_ptr<const Constraint> constraint;
    if (settings.constraint) {
        ROOTSTOCK_TRY(vocabulary, OutputVocabulary::make(tokenizer, model.spec.end_ids));
        ROOTSTOCK_TRY(compiled, settings.constraint(vocabulary));
        constraint = std::move(compiled);
    }
    ROOTSTOCK_TRY(native, NativeModel::load(model, settings.native));
    ROOTSTOCK_TRY(adapter, open_adapter(settings, model, native, tokenizer));
    ROOTSTOCK_TRY(generator, Generator::make(std::move(native), context));
    auto state =
        std::make_unique<State>(State{std::move(settings), std::move(tokenizer), std::move(form), std::move(generator),
                                      std::move(adapter), context, std::move(constraint)});
    state->begin();
    return Chat(std::move(state));
}

Chat::Chat(std::unique_ptr<State> state) : state_(std::move(state)) {}
Chat::~Chat() = default;
Chat::Chat(Chat&&) noexcept = default;
Chat& Chat::operator=(Chat&&) noexcept = default;

void Chat::forget() { state_->begin(); }

Result<ChatAnswer> Chat::say(std::string_view words, const std::function<bool(std::string_view)>& hear) {
    auto& state = *state_;
    const double begin = monotonic_seconds();
    auto conversation = state.messages;
    conversation.push_back(json::object{{"role", "user"}, {"content", words}});
    ROOTSTOCK_TRY(ids, state.prompt(conversation));

    ChatAnswer answer;
    answer.prompt_tokens = ids.size();
    TextStream stream(state.tokenizer);
    StopFilter filter(state.settings.stops);
    bool listening = true;
    Interrupts interrupts;
    const auto show = [&](const std::string& text) {
        answer.text += text;
        if (!text.empty() && listening) listening = hear(text);
        if (interrupts.take() != 0) listening = false;
        return listening && !filter.stopped();
    };
    auto options = state.settings.generate;
    options.tokens_max = std::min(options.tokens_max, state.context_tokens - static_cast<int>(ids.size()));
    const std::vector<std::vector<std::int32_t>> prompts{std::move(ids)};
    const std::vector<const NativeAdapter*> adapters(state.adapter ? 1 : 0, state.adapter.get());
    auto written = state.generator.generate(
        prompts, options, adapters, [&](std::size_t, std::int32_t id) { return show(filter.push(stream.push(id))); },
        state.constraint.get());
    if (!written) return fail(written.error());
    ++state.settings.generate.sampling.seed;
    if (listening && !filter.stopped()) {
        show(filter.push(stream.finish()));
        show(filter.finish());
    }
    answer.answer_tokens = written->front().ids.size();
    answer.finish = filter.stopped() ? Finish::stop : written->front().finish;
    answer.seconds = monotonic_seconds() - begin;
    conversation.push_back(json::object{{"role", "assistant"}, {"content", answer.text}});
    state.messages = std::move(conversation);
    return answer;
}

}  // namespace rootstock
