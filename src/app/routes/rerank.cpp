// POST /v1/rerank: which documents answer the query?

#include "app/routes/reranking.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::int64_t top_n_max = 100'000;

struct RerankRequest {
    Reranking order;
    std::size_t top_n = 0;
    bool return_documents = false;
};

Result<RerankRequest> read_request(const Exchange& exchange) {
    RerankRequest request;
    JsonFields fields(exchange.body, "the request body");
    request.order.model = fields.required_string("model");
    request.order.query = fields.required_string("query");
    const auto* documents = fields.required_value("documents");
    request.order.truncate = fields.optional_bool("truncate", false);
    request.return_documents = fields.optional_bool("return_documents", false);
    request.top_n = static_cast<std::size_t>(fields.optional_int("top_n", top_n_max, 1, top_n_max));
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_CHECKED(read_documents(request.order, *documents, "documents", exchange.services.reading->limits()));
    return request;
}

std::string render(const RerankRequest& request, const ServedModel& model, const std::vector<Ranked>& ranked,
                   const Usage& usage) {
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, model.name);
    out += ",\"results\":[";
    for (std::size_t place = 0; place < std::min(ranked.size(), request.top_n); ++place) {
        const auto& [index, score] = ranked[place];
        out.append(place > 0 ? ",{" : "{").append("\"index\":").append(std::to_string(index));
        out += ",\"relevance_score\":";
        append_number(out, score);
        if (request.return_documents) {
            out += ",\"document\":{\"text\":";
            append_quoted(out, request.order.documents[index]);
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
    const std::shared_ptr<const Reranking> order(request, &request->order);
    auto body = [request](const ServedModel& model, const std::vector<Ranked>& ranked, const Usage& usage) {
        return render(*request, model, ranked, usage);
    };
    auto task = rerank_task(order, std::move(body));
    co_return co_await read_and_respond(exchange, begin_reading(exchange, order->model), std::move(task));
}

}  // namespace

void add_rerank_route(Routes& routes) { routes.add("POST", "/v1/rerank", {Access::key, Body::json, rerank}); }

}  // namespace rootstock
