// POST /v1/classify: which label? In the manner of OpenAI's lists; the model is an adapter's name.

#include "app/routes/prediction_request.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::int64_t top_k_max = 100'000;

struct ClassifyRequest {
    PredictOrder order;
    std::size_t top_k = 0;  // labels told per input, most probable first
};

Result<ClassifyRequest> read_request(const Exchange& exchange) {
    ClassifyRequest request{begin_order(exchange)};
    JsonFields fields(exchange.body, "the request body");
    request.order.model = fields.required_string("model");
    request.order.inputs = read_inputs(fields, false);
    request.order.truncate = fields.optional_bool("truncate", false);
    request.top_k = static_cast<std::size_t>(fields.optional_int("top_k", top_k_max, 1, top_k_max));
    fields.optional_string("user", "");  // OpenAI's clients may send it; we keep no such thing
    ROOTSTOCK_CHECKED(fields.finish());
    return request;
}

Task<Result<http::Response>> classify(Exchange& exchange) {
    auto request = read_request(exchange);
    if (!request) co_return fail(request.error());
    Predict::Render<Classified> body = [top_k = request->top_k](const Classified& answer) {
        return render_classified(answer, top_k);
    };
    auto answered = co_await exchange.services.predict->classify(std::move(request->order), std::move(body));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, "classify", std::move(*answered));
}

}  // namespace

void add_classify_route(Routes& routes) { routes.add("POST", "/v1/classify", {Access::key, Body::json, classify}); }

}  // namespace rootstock
