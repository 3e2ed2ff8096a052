// POST /v1/completions: a text is written on. OpenAI's older shapes, at once or as server-sent events.

#include <algorithm>

#include "app/routes/routes.h"
#include "app/routes/writing.h"

namespace rootstock {
namespace {

constexpr int tokens_usual = 16;      // as OpenAI has it
constexpr float logprob_min = -9999;  // what OpenAI tells for the impossible; JSON has no minus infinity

double told(float logprob) { return std::max(logprob, logprob_min); }

std::vector<std::int32_t> ids_of(const json::array& list) {
    std::vector<std::int32_t> ids;
    for (const auto& id : list) ids.push_back(id.to_number<std::int32_t>());
    return ids;
}

// A text, texts, ids, or lists of ids.
std::vector<Prompt> prompts_of(const json::value& value) {
    if (const auto* text = value.if_string()) return {std::string(*text)};
    const auto& list = value.as_array();
    if (!list.empty() && list.front().is_number()) return {ids_of(list)};
    std::vector<Prompt> prompts;
    for (const auto& item : list) {
        if (const auto* text = item.if_string())
            prompts.emplace_back(std::string(*text));
        else
            prompts.emplace_back(ids_of(item.as_array()));
    }
    return prompts;
}

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class CompletionTeller : public Teller {
public:
    explicit CompletionTeller(const GenerateOrder& order, std::size_t prompts)
        : logprobs_(order.logprobs >= 0), offsets_(prompts * static_cast<std::size_t>(order.choices), 0) {}

    std::string whole(const AnswerHead& head, const Written& written) override {
        auto answer = head.begin("text_completion");
        json::array choices;
        for (std::size_t i = 0; i < written.texts.size(); ++i) {
            const auto& text = written.texts[i];
            choices.push_back(choice(i, text.words, text.tokens, json::value(text.finish)));
        }
        answer["choices"] = std::move(choices);
        answer["usage"] = usage_json(written.usage);
        return json::serialize(answer);
    }

    std::vector<json::object> opening(const AnswerHead&) override { return {}; }

    std::vector<json::object> piece(const AnswerHead& head, const WrittenPiece& piece) override {
        return {event(head, choice(static_cast<std::size_t>(piece.text), piece.words, piece.tokens, nullptr))};
    }

    std::vector<json::object> closing(const AnswerHead& head, const Written& written) override {
        std::vector<json::object> events;
        for (std::size_t i = 0; i < written.texts.size(); ++i)
            events.push_back(event(head, choice(i, "", {}, json::value(written.texts[i].finish))));
        return events;
    }

    json::object usage_event(const AnswerHead& head) override {
        auto event = head.begin("text_completion");
        event["choices"] = json::array();
        return event;
    }

private:
    static json::object event(const AnswerHead& head, json::object choice) {
        auto event = head.begin("text_completion");
        event["choices"] = json::array{std::move(choice)};
        return event;
    }

    json::object choice(std::size_t index, std::string_view words, const std::vector<ToldToken>& tokens,
                        json::value finish) {
        return {{"index", index},
                {"text", words},
                {"logprobs", logprobs_ ? logprobs(index, tokens) : json::value(nullptr)},
                {"finish_reason", std::move(finish)}};
    }

    // Four lists side by side, an entry a token.
    json::value logprobs(std::size_t index, const std::vector<ToldToken>& tokens) {
        json::array texts, own, best, offsets;
        for (const auto& token : tokens) {
            json::object top;
            for (const auto& chance : token.top) top[to_valid_utf8(chance.bytes)] = told(chance.logprob);
            texts.push_back(token_text(token.bytes));
            own.push_back(told(token.logprob));
            best.push_back(std::move(top));
            offsets.push_back(offsets_[index]);
            offsets_[index] += code_points(token.bytes);
        }
        return json::object{{"tokens", std::move(texts)},
                            {"token_logprobs", std::move(own)},
                            {"top_logprobs", std::move(best)},
                            {"text_offset", std::move(offsets)}};
    }

    bool logprobs_;
    std::vector<std::size_t> offsets_;  // of each text, in characters
};

// What older clients may ask for and is not served, by name.
Result<void> check_served(const json::object& fields, int choices) {
    const auto* echo = fields.if_contains("echo");
    if (echo && echo->as_bool())
        return fail(ErrorCode::unsupported, "'echo' is not served: the prompt is not told again", "echo");
    if (fields.contains("suffix"))
        return fail(ErrorCode::unsupported, "'suffix' is not served: texts are written on at their end only", "suffix");
    const auto* best = fields.if_contains("best_of");
    if (!best || best->to_number<int>() == choices) return {};
    return fail(ErrorCode::unsupported, "'best_of' other than 'n' is not served: every text written is answered",
                "best_of");
}

Task<Result<http::Response>> complete(Exchange& exchange) {
    const auto fields = set_fields(exchange.body);
    auto order = begin_writing_order(exchange, fields, "complete");
    auto prompts = prompts_of(fields.at("prompt"));
    if (const auto* most = fields.if_contains("max_tokens")) order.tokens_max = most->to_number<int>();
    if (!order.tokens_max) order.tokens_max = tokens_usual;
    if (const auto* top = fields.if_contains("logprobs")) order.logprobs = top->to_number<int>();
    if (auto fine = check_served(fields, order.choices); !fine) co_return fail(fine.error());
    auto teller = std::make_unique<CompletionTeller>(order, prompts.size());
    order.prompt = std::move(prompts);
    co_return co_await answer_writing(exchange, std::move(order), stream_choice(fields), "cmpl-", std::move(teller));
}

}  // namespace

void add_completions_route(Routes& routes) {
    routes.add("POST", "/v1/completions", {Access::key, Body::json, complete});
}

}  // namespace rootstock
