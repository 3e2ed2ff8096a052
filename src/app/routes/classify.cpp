// POST /v1/classify: which label? In the manner of OpenAI's lists; the model is an adapter's name.

#include <algorithm>
#include <numeric>

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

// Labels by falling probability; equal ones in the labels' order.
std::vector<std::size_t> ranking(const std::vector<float>& probabilities) {
    std::vector<std::size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
    return order;
}

void append_label(std::string& out, const Classified& answer, std::size_t input, std::size_t label) {
    out += "\"label\":";
    append_quoted(out, answer.labels[label]);
    out += ",\"score\":";
    append_number(out, answer.probabilities[input][label]);
}

void append_input(std::string& out, const Classified& answer, std::size_t input, std::size_t top_k) {
    auto ranked = ranking(answer.probabilities[input]);
    out.append("{\"object\":\"classification\",\"index\":").append(std::to_string(input)).append(",");
    append_label(out, answer, input, ranked.front());
    out += ",\"probabilities\":[";
    for (std::size_t place = 0; place < std::min(top_k, ranked.size()); ++place) {
        out += place == 0 ? "{" : ",{";
        append_label(out, answer, input, ranked[place]);
        out += "}";
    }
    out += "],\"prediction_id\":";
    append_quoted(out, answer.predictions[input].text());
    out += "}";
}

std::string render(const Classified& answer, std::size_t top_k) {
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, answer.model);
    out += ",\"data\":[";
    for (std::size_t input = 0; input < answer.probabilities.size(); ++input) {
        if (input > 0) out += ",";
        append_input(out, answer, input, top_k);
    }
    out += "],\"usage\":";
    append_usage(out, answer.usage);
    return out + "}";
}

Task<Result<http::Response>> classify(Exchange& exchange) {
    auto request = read_request(exchange);
    if (!request) co_return fail(request.error());
    Predict::Render<Classified> body = [top_k = request->top_k](const Classified& answer) {
        return render(answer, top_k);
    };
    auto answered = co_await exchange.services.predict->classify(std::move(request->order), std::move(body));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, "classify", std::move(*answered));
}

}  // namespace

void add_classify_route(Routes& routes) { routes.add("POST", "/v1/classify", {Access::key, Body::json, classify}); }

}  // namespace rootstock
