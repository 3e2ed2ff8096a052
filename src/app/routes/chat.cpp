// POST /v1/chat/completions: OpenAI's shapes, at once or as server-sent events.

#include <algorithm>

#include "app/routes/chat_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr float logprob_min = -9999;  // what OpenAI tells for the impossible; JSON has no minus infinity

double told(float logprob) { return std::max(logprob, logprob_min); }

json::object chance_json(std::string_view bytes, float logprob) {
    return {{"token", token_text(bytes)}, {"logprob", told(logprob)}, {"bytes", token_bytes(bytes)}};
}

json::value logprobs_json(const std::vector<ToldToken>& tokens, bool wanted) {
    if (!wanted) return nullptr;
    json::array content;
    for (const auto& token : tokens) {
        auto entry = chance_json(token.bytes, token.logprob);
        json::array top;
        for (const auto& chance : token.top) top.push_back(chance_json(chance.bytes, chance.logprob));
        entry["top_logprobs"] = std::move(top);
        content.push_back(std::move(entry));
    }
    return json::object{{"content", std::move(content)}, {"refusal", nullptr}};
}

json::object call_json(const ToolCall& call) {
    return {{"id", "call_" + secret_base62(24)},
            {"type", "function"},
            {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

class ChatTeller : public Teller {
public:
    explicit ChatTeller(const ChatRequest& request)
        : tools_(request.tools), one_call_(request.one_call), logprobs_(request.order.logprobs >= 0) {
        const bool shows = tools_ == ToolForm::none || !tool_mark(tools_).empty();
        for (int i = 0; i < request.order.choices; ++i) lines_.push_back({StopFilter(marks()), {}, shows});
    }

    std::string whole(const AnswerHead& head, const Written& written) override {
        auto answer = head.begin("chat.completion");
        json::array choices;
        for (std::size_t i = 0; i < written.texts.size(); ++i) choices.push_back(choice_json(i, written.texts[i]));
        answer["choices"] = std::move(choices);
        answer["usage"] = usage_json(written.usage);
        return json::serialize(answer);
    }

    std::vector<json::object> opening(const AnswerHead& head) override {
        std::vector<json::object> events;
        for (std::size_t i = 0; i < lines_.size(); ++i)
            events.push_back(chunk(head, i, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}));
        return events;
    }

    std::vector<json::object> piece(const AnswerHead& head, const WrittenPiece& piece) override {
        const auto index = static_cast<std::size_t>(piece.text);
        auto words = lines_[index].show(piece.words);
        if (words.empty() && piece.tokens.empty()) return {};
        auto event = chunk(head, index, {{"content", words}});
        event["choices"].as_array()[0].as_object()["logprobs"] = logprobs_json(piece.tokens, logprobs_);
        return {std::move(event)};
    }

    std::vector<json::object> closing(const AnswerHead& head, const Written& written) override {
        std::vector<json::object> events;
        for (std::size_t i = 0; i < written.texts.size(); ++i) {
            const auto& text = written.texts[i];
            const auto reading = read(text.words);
            if (!reading.calls.empty())
                events.push_back(chunk(head, i, {{"tool_calls", numbered_calls(reading.calls)}}));
            else if (auto rest = text.words.substr(lines_[i].shown.size()); !rest.empty())
                events.push_back(chunk(head, i, {{"content", rest}}));
            auto last = chunk(head, i, {});
            last["choices"].as_array()[0].as_object()["finish_reason"] = finish(text, reading);
            events.push_back(std::move(last));
        }
        return events;
    }

    json::object usage_event(const AnswerHead& head) override {
        auto event = head.begin("chat.completion.chunk");
        event["choices"] = json::array();
        return event;
    }

private:
    // Of a stream: words are shown until a call may begin.
    struct Line {
        StopFilter filter;
        std::string shown;
        bool shows;

        std::string show(std::string_view words) {
            if (!shows || filter.stopped()) return {};
            auto more = filter.push(words);
            shown += more;
            return more;
        }
    };

    std::vector<std::string> marks() const {
        const auto mark = tool_mark(tools_);
        return mark.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(mark)};
    }

    ToolReading read(const std::string& words) const {
        if (tools_ == ToolForm::none) return {words, {}};
        auto reading = read_tool_calls(tools_, words);
        if (one_call_ && reading.calls.size() > 1) reading.calls.resize(1);
        return reading;
    }

    static std::string finish(const WrittenText& text, const ToolReading& reading) {
        return !reading.calls.empty() && text.finish == "stop" ? "tool_calls" : text.finish;
    }

    static json::array numbered_calls(const std::vector<ToolCall>& calls) {
        json::array told;
        for (const auto& call : calls) {
            auto entry = call_json(call);
            entry["index"] = told.size();
            told.push_back(std::move(entry));
        }
        return told;
    }

    json::object choice_json(std::size_t index, const WrittenText& text) const {
        const auto reading = read(text.words);
        json::object message{{"role", "assistant"}, {"content", reading.words}, {"refusal", nullptr}};
        if (!reading.calls.empty()) {
            json::array calls;
            for (const auto& call : reading.calls) calls.push_back(call_json(call));
            message["tool_calls"] = std::move(calls);
            if (reading.words.empty()) message["content"] = nullptr;
        }
        return {{"index", index},
                {"message", std::move(message)},
                {"logprobs", logprobs_json(text.tokens, logprobs_)},
                {"finish_reason", finish(text, reading)}};
    }

    static json::object chunk(const AnswerHead& head, std::size_t index, json::object delta) {
        auto event = head.begin("chat.completion.chunk");
        event["choices"] = json::array{json::object{
            {"index", index}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", nullptr}}};
        return event;
    }

    ToolForm tools_;
    bool one_call_, logprobs_;
    std::vector<Line> lines_;
};

Task<Result<http::Response>> talk(Exchange& exchange) {
    auto request = read_chat_request(exchange);
    if (!request) co_return fail(request.error());
    auto teller = std::make_unique<ChatTeller>(*request);
    co_return co_await answer_writing(exchange, std::move(request->order), request->choice, "chatcmpl-",
                                      std::move(teller));
}

}  // namespace

void add_chat_route(Routes& routes) { routes.add("POST", "/v1/chat/completions", {Access::key, Body::json, talk}); }

}  // namespace rootstock
