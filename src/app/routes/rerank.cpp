// POST /v1/rerank: which documents answer the query? By a base model with a sequence head (a cross-encoder), which
// reads query and document together.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/routes/reading_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

struct RerankRequest {
    std::string model, query;
    std::vector<std::string> documents;
    std::size_t top_n = 0;
    bool truncate = false, return_documents = false;
};

Result<RerankRequest> read_request(const Exchange& exchange) {
    RerankRequest request;
    JsonFields fields(exchange.body, "the request body");
    request.model = fields.required_string("model");
    request.query = fields.required_string("query");
    const auto* documents = fields.required_value("documents");
    request.truncate = fields.optional_bool("truncate", false);
    request.return_documents = fields.optional_bool("return_documents", false);
    constexpr std::int64_t most = 100'000;
    request.top_n = static_cast<std::size_t>(fields.optional_int("top_n", most, 1, most));
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    const auto& limits = exchange.services.reading->limits();
    if (request.query.size() > limits.input_bytes_max)
        return fail(ErrorCode::too_long, "'query' is longer than this server reads", "query",
                    "context_length_exceeded");
    ROOTSTOCK_TRY(texts, read_texts(*documents, "documents", limits));
    request.documents = std::move(texts);
    return request;
}

Result<ReadRows> tokenize(const RerankRequest& request, const ServedModel& model) {
    ReadRows rows;
    for (const auto& document : request.documents) {
        ROOTSTOCK_TRY(pair, encode_pair(model, request.query, document, request.truncate, "documents"));
        add_row(pair, model, rows);
    }
    return rows;
}

// One class: its logistic. Two and more: the probability of the last, which cross-encoders call relevant.
float relevance(const std::vector<float>& logits) {
    if (logits.size() == 1) return 1 / (1 + std::exp(-logits.front()));
    const float largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit - largest));
    return static_cast<float>(std::exp(static_cast<double>(logits.back() - largest)) / sum);
}

std::string render(const RerankRequest& request, const ServedModel& model, const InferAnswer& answer,
                   const Usage& usage) {
    std::vector<float> scores;
    for (const auto& logits : answer.rows) scores.push_back(relevance(logits));
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    order.resize(std::min(order.size(), request.top_n));
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, model.name);
    out += ",\"results\":[";
    for (std::size_t place = 0; place < order.size(); ++place) {
        out.append(place > 0 ? ",{" : "{").append("\"index\":").append(std::to_string(order[place]));
        out += ",\"relevance_score\":";
        append_number(out, scores[order[place]]);
        if (request.return_documents) {
            out += ",\"document\":{\"text\":";
            append_quoted(out, request.documents[order[place]]);
            out += "}";
        }
        out += "}";
    }
    out += "],\"usage\":";
    append_usage(out, usage);
    return out + "}";
}

Task<Result<http::Response>> rerank(Exchange& exchange) {
    auto read = read_request(exchange);
    if (!read) co_return fail(read.error());
    const auto request = std::make_shared<const RerankRequest>(std::move(*read));
    ReadTask task{.operation = "rerank", .purpose = "reranking", .heads = {HeadKind::sequence}};
    task.tokenize = [request](const ServedModel& model) { return tokenize(*request, model); };
    task.answer = [request](const ServedModel& model, const InferAnswer& answer, const Usage& usage) {
        return render(*request, model, answer, usage);
    };
    co_return co_await read_and_respond(exchange, begin_reading(exchange, request->model), std::move(task));
}

}  // namespace

void add_rerank_route(Routes& routes) { routes.add("POST", "/v1/rerank", {Access::key, Body::json, rerank}); }

}  // namespace rootstock
