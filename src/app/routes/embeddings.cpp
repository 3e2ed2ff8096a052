// POST /v1/embeddings: OpenAI's shape. The model is the served base model.

#include <bit>
#include <cstring>

#include "app/routes/base64.h"
#include "app/routes/prediction_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

static_assert(std::endian::native == std::endian::little, "base64 embeddings are little-endian floats");

struct EmbeddingsRequest {
    PredictOrder order;
    bool base64 = false;
};

// The width of the vectors, which clients may ask for. An unknown model is told by the journey.
void read_dimensions(JsonFields& fields, const ServedModel* model) {
    auto asked = fields.optional_int("dimensions", 0, 1, 1 << 20);
    if (model && asked > 0 && asked != model->spec().width)
        fields.fault("dimensions",
                     "must be " + std::to_string(model->spec().width) + ", the width of this model, or absent");
}

Result<EmbeddingsRequest> read_request(const Exchange& exchange) {
    EmbeddingsRequest request{begin_order(exchange)};
    JsonFields fields(exchange.body, "the request body");
    request.order.model = fields.required_string("model");
    request.order.inputs = read_inputs(fields, true);
    request.order.truncate = fields.optional_bool("truncate", false);
    auto format = fields.optional_string("encoding_format", "float");
    if (format != "float" && format != "base64") fields.fault("encoding_format", "must be \"float\" or \"base64\"");
    request.base64 = format == "base64";
    read_dimensions(fields, exchange.services.models.called(request.order.model));
    fields.optional_string("user", "");
    ROOTSTOCK_CHECKED(fields.finish());
    return request;
}

void append_vector(std::string& out, const std::vector<float>& vector, bool base64) {
    if (base64) {
        out += '"';
        append_base64(out, {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
        out += '"';
        return;
    }
    out += '[';
    for (std::size_t i = 0; i < vector.size(); ++i) {
        if (i > 0) out += ',';
        append_number(out, vector[i]);
    }
    out += ']';
}

std::string render(const Embedded& answer, bool base64) {
    std::string out = "{\"object\":\"list\",\"data\":[";
    for (std::size_t i = 0; i < answer.vectors.size(); ++i) {
        out.append(i > 0 ? "," : "").append("{\"object\":\"embedding\",\"index\":").append(std::to_string(i));
        out += ",\"embedding\":";
        append_vector(out, answer.vectors[i], base64);
        out += "}";
    }
    out += "],\"model\":";
    append_quoted(out, answer.model);
    out += ",\"usage\":";
    append_usage(out, answer.usage);
    return out + "}";
}

Task<Result<http::Response>> embeddings(Exchange& exchange) {
    auto request = read_request(exchange);
    if (!request) co_return fail(request.error());
    Predict::Render<Embedded> body = [base64 = request->base64](const Embedded& answer) {
        return render(answer, base64);
    };
    auto answered = co_await exchange.services.predict->embed(std::move(request->order), std::move(body));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, "embed", std::move(*answered));
}

}  // namespace

void add_embeddings_route(Routes& routes) {
    routes.add("POST", "/v1/embeddings", {Access::key, Body::json, embeddings});
}

}  // namespace rootstock
