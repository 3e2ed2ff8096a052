// POST /v1/answer-span: where in the context stands the answer? By a base model with a span head; a long context is
// read through windows that overlap.

#include <algorithm>
#include <optional>

#include "app/routes/reading_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::int32_t window_tokens = 384;
constexpr std::int32_t stride_tokens = 128;

struct AnswerRequest {
    std::string model, question, context;
    AnswerSettings settings;
    bool may_have_none = false;
    Encoding first;  // its overflow are the other windows
};

Result<std::shared_ptr<AnswerRequest>> read_request(const Exchange& exchange) {
    auto request = std::make_shared<AnswerRequest>();
    JsonFields fields(exchange.body, "the request body");
    request->model = fields.required_string("model");
    request->question = fields.required_string("question");
    request->context = fields.required_string("context");
    request->settings.answers_max = static_cast<int>(fields.optional_int("top_k", 1, 1, 100));
    request->settings.tokens_max = static_cast<int>(fields.optional_int("max_answer_tokens", 30, 1, 512));
    request->may_have_none = fields.optional_bool("allow_no_answer", false);
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    const auto most = exchange.services.reading->limits().input_bytes_max;
    for (const auto& [text, param] : {std::pair{&request->question, "question"}, {&request->context, "context"}})
        if (text->size() > most)
            return fail(ErrorCode::too_long,
                        "'" + std::string(param) + "' has " + std::to_string(text->size()) + " bytes; at most " +
                            std::to_string(most) + " are read",
                        param, "context_length_exceeded");
    return request;
}

Result<ReadRows> tokenize(AnswerRequest& request, const ServedModel& model) {
    const auto most = std::min(model.spec().positions_max, window_tokens);
    ROOTSTOCK_TRY(question, model.base.tokenizer.encode(request.question, {.add_special_tokens = false}));
    // Half of a window must be left for the context.
    if (question.ids.size() > static_cast<std::size_t>(most / 2))
        return fail(ErrorCode::too_long,
                    "'question' has " + std::to_string(question.ids.size()) + " tokens; at most " +
                        std::to_string(most / 2) + " leave room for the context",
                    "question", "context_length_exceeded");
    auto pair = model.base.tokenizer.encode_pair(request.question, request.context,
                                                 {.max_tokens = most,
                                                  .truncation = Truncation::only_second,
                                                  .overflow = true,
                                                  .stride = std::min(stride_tokens, most / 4)});
    if (!pair) return fail(pair.error().code, "'context': " + pair.error().message, "context");
    request.first = std::move(*pair);
    ReadRows rows;
    add_row(request.first, model, rows);
    for (const auto& window : request.first.overflowing) add_row(window, model, rows);
    return rows;
}

// What stands in the list: an answer, or that there is none.
struct Told {
    std::optional<CharSpan> span;
    float score = 0;
};

std::vector<Told> told_answers(const AnswerRequest& request, const AnswerSpans& found) {
    std::vector<Told> told;
    for (const auto& [span, score] : found.best) told.push_back({span, score});
    if (!request.may_have_none) return told;
    const auto place = std::ranges::upper_bound(told, found.none, std::ranges::greater(), &Told::score);
    told.insert(place, {std::nullopt, found.none});
    told.resize(std::min(told.size(), static_cast<std::size_t>(request.settings.answers_max)));
    return told;
}

void append_told(std::string& out, const Told& told, std::string_view context) {
    out += "{\"object\":\"answer\",\"text\":";
    if (told.span) {
        append_quoted(out, characters(context, *told.span));
        out.append(",\"start\":").append(std::to_string(told.span->begin));
        out.append(",\"end\":").append(std::to_string(told.span->end));
    } else {
        out += "null,\"start\":null,\"end\":null";
    }
    out += ",\"score\":";
    append_number(out, told.score);
    out += "}";
}

std::string render(const AnswerRequest& request, const ServedModel& model, const InferAnswer& answer,
                   const Usage& usage) {
    std::vector<AnswerWindow> windows{{&request.first, answer.rows.front()}};
    for (std::size_t i = 1; i < answer.rows.size(); ++i)
        windows.push_back({&request.first.overflowing[i - 1], answer.rows[i]});
    const auto found = find_answers(windows, request.settings);
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, model.name);
    out += ",\"data\":[";
    bool first = true;
    for (const auto& told : told_answers(request, found)) {
        if (!std::exchange(first, false)) out += ",";
        append_told(out, told, request.context);
    }
    out += "],\"no_answer_score\":";
    append_number(out, found.none);
    out += ",\"usage\":";
    append_usage(out, usage);
    return out + "}";
}

Task<Result<http::Response>> answer_span(Exchange& exchange) {
    auto read = read_request(exchange);
    if (!read) co_return fail(read.error());
    const auto request = *read;
    ReadTask task{.operation = "answer", .purpose = "finding answers", .heads = {HeadKind::span}};
    task.tokenize = [request](const ServedModel& model) { return tokenize(*request, model); };
    task.answer = [request](const ServedModel& model, const InferAnswer& answer, const Usage& usage) {
        return render(*request, model, answer, usage);
    };
    co_return co_await read_and_respond(exchange, begin_reading(exchange, request->model), std::move(task));
}

}  // namespace

void add_answer_span_route(Routes& routes) {
    routes.add("POST", "/v1/answer-span", {Access::key, Body::json, answer_span});
}

}  // namespace rootstock
