// POST /v1/similarity: how near are texts to one text? Cosines of their embeddings, by any base model that reads texts.

#include "app/routes/reading_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

struct SimilarityRequest {
    std::string model;
    std::vector<std::string> texts;  // the source first
    bool truncate = false;
};

Result<std::shared_ptr<SimilarityRequest>> read_request(const Exchange& exchange) {
    auto request = std::make_shared<SimilarityRequest>();
    JsonFields fields(exchange.body, "the request body");
    request->model = fields.required_string("model");
    const auto source = fields.required_string("source");
    const auto* input = fields.required_value("input");
    request->truncate = fields.optional_bool("truncate", false);
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    const auto& limits = exchange.services.reading->limits();
    ROOTSTOCK_TRY(first, read_texts(json::array{source}, "source", limits));
    ROOTSTOCK_TRY(others, read_texts(*input, "input", limits));
    request->texts = std::move(first);
    request->texts.insert(request->texts.end(), others.begin(), others.end());
    return request;
}

Result<ReadRows> tokenize(const SimilarityRequest& request, const ServedModel& model) {
    ReadRows rows;
    for (std::size_t i = 0; i < request.texts.size(); ++i) {
        ROOTSTOCK_TRY(ids, encode_one(model, request.texts[i], request.truncate, i == 0 ? "source" : "input"));
        rows.ids.push_back(std::move(ids));
    }
    return rows;
}

std::string render(const ServedModel& model, const InferAnswer& answer, const Usage& usage) {
    const auto& source = answer.rows.front();
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, model.name);
    out += ",\"data\":[";
    for (std::size_t i = 1; i < answer.rows.size(); ++i) {
        out.append(i > 1 ? "," : "").append("{\"object\":\"similarity\",\"index\":").append(std::to_string(i - 1));
        out += ",\"score\":";
        append_number(out, cosine(source, answer.rows[i]));
        out += "}";
    }
    out += "],\"usage\":";
    append_usage(out, usage);
    return out + "}";
}

Task<Result<http::Response>> similarity(Exchange& exchange) {
    auto read = read_request(exchange);
    if (!read) co_return fail(read.error());
    const auto request = *read;
    ReadTask task{.operation = "similarity", .purpose = "similarity", .embeddings = true};
    task.tokenize = [request](const ServedModel& model) { return tokenize(*request, model); };
    task.answer = [](const ServedModel& model, const InferAnswer& answer, const Usage& usage) {
        return render(model, answer, usage);
    };
    co_return co_await read_and_respond(exchange, begin_reading(exchange, request->model), std::move(task));
}

}  // namespace

void add_similarity_route(Routes& routes) {
    routes.add("POST", "/v1/similarity", {Access::key, Body::json, similarity});
}

}  // namespace rootstock
