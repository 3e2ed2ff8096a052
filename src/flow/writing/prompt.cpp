#include "flow/writing/prompt.h"

#include <algorithm>

namespace rootstock {
namespace {

using Ids = std::vector<std::int32_t>;

const char* field_of(const GenerateOrder& order) {
    return std::holds_alternative<Conversation>(order.prompt) ? "messages" : "prompt";
}

std::size_t bytes_of(const json::value& value) { return json::serialize(value).size(); }

std::size_t bytes_of(const Prompt& prompt) {
    const auto* text = std::get_if<std::string>(&prompt);
    return text ? text->size() : std::get<Ids>(prompt).size() * sizeof(std::int32_t);
}

Result<Ids> rendered(const Conversation& talk, const ServedModel& model, Clock& clock) {
    if (!model.chat)
        return fail(ErrorCode::unsupported,
                    "the model '" + model.name +
                        "' has no chat template, so it takes no conversations; ask it under /v1/completions",
                    "model", "no_chat_template");
    ChatOptions options;
    options.add_generation_prompt = true;
    options.tools = talk.tools;
    options.special_tokens = model.chat->special_tokens;
    options.clock = &clock;
    auto text = model.chat->form.render(talk.messages, options);
    if (!text) return fail(text.error().code, text.error().message, "messages", text.error().reason);
    Ids ids;
    auto length = model.base.tokenizer->encode_ids(*text, {.add_special_tokens = false}, ids);
    if (!length) return fail(length.error().code, length.error().message, "messages");
    return ids;
}

Result<Ids> as_it_is(const Prompt& prompt, const ServedModel& model) {
    if (const auto* ids = std::get_if<Ids>(&prompt)) return *ids;
    Ids ids;
    auto length = model.base.tokenizer->encode_ids(std::get<std::string>(prompt), {}, ids);
    if (!length) return fail(length.error().code, length.error().message, "prompt");
    return ids;
}

}  // namespace

std::size_t bytes_of(const GenerateOrder& order) {
    if (const auto* talk = std::get_if<Conversation>(&order.prompt))
        return bytes_of(talk->messages) + bytes_of(talk->tools);
    std::size_t bytes = 0;
    for (const auto& prompt : std::get<std::vector<Prompt>>(order.prompt)) bytes += bytes_of(prompt);
    return bytes;
}

Result<void> check_prompts(const GenerateOrder& order, const GenerateLimits& limits) {
    if (const auto* prompts = std::get_if<std::vector<Prompt>>(&order.prompt)) {
        if (prompts->empty())
            return fail(ErrorCode::invalid_argument, "'prompt' is empty: send at least one", "prompt");
        if (prompts->size() > limits.prompts_max)
            return fail(ErrorCode::invalid_argument,
                        "'prompt' has " + std::to_string(prompts->size()) + " entries; at most " +
                            std::to_string(limits.prompts_max) + " go in one request",
                        "prompt", "too_many_inputs");
    }
    const auto bytes = bytes_of(order);
    if (bytes <= limits.prompt_bytes_max) return {};
    return fail(ErrorCode::too_long,
                "the prompt has " + std::to_string(bytes) + " bytes; at most " +
                    std::to_string(limits.prompt_bytes_max) + " are read",
                field_of(order), "context_length_exceeded");
}

Result<std::vector<Ids>> prompt_rows(const GenerateOrder& order, const ServedModel& model, Clock& clock) {
    std::vector<Ids> rows;
    if (const auto* talk = std::get_if<Conversation>(&order.prompt)) {
        ROOTSTOCK_TRY(ids, rendered(*talk, model, clock));
        rows.push_back(std::move(ids));
    } else {
        for (const auto& prompt : std::get<std::vector<Prompt>>(order.prompt)) {
            ROOTSTOCK_TRY(ids, as_it_is(prompt, model));
            rows.push_back(std::move(ids));
        }
    }
    const bool nothing = std::ranges::any_of(rows, [](const Ids& ids) { return ids.empty(); });
    if (nothing) return fail(ErrorCode::invalid_argument, "a prompt has no tokens: write something", field_of(order));
    return rows;
}

Result<int> answer_room(const GenerateOrder& order, const GenerateLimits& limits, const ServedModel& model,
                        std::size_t prompt_tokens) {
    const bool encoder_reads = model.spec().decoder_layers > 0;
    const auto context = static_cast<std::size_t>(model.writer->prompt_tokens_max());
    // An encoder's prompt takes no room from what its decoder writes; a decoder writes on behind it.
    const auto most = encoder_reads ? context : context - 1;
    if (prompt_tokens > most)
        return fail(ErrorCode::too_long,
                    "the prompt has " + std::to_string(prompt_tokens) + " tokens, " +
                        std::to_string(prompt_tokens - most) + " more than the " + std::to_string(most) +
                        " that leave room for an answer in this model's context of " + std::to_string(context) +
                        "; shorten it",
                    field_of(order), "context_length_exceeded");
    const auto positions = static_cast<std::size_t>(model.spec().positions_max);
    const auto room = encoder_reads ? positions : context - prompt_tokens;
    const auto wanted = order.tokens_max ? static_cast<std::size_t>(*order.tokens_max) : room;
    return static_cast<int>(std::min({wanted, room, static_cast<std::size_t>(limits.tokens_max)}));
}

}  // namespace rootstock
