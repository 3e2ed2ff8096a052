#include "app/routes/prediction_request.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace rootstock {
namespace {

constexpr const char* expected_text = "must be a string or a list of strings";
constexpr const char* expected_any = "must be a string, a list of strings, a list of token ids or a list of such lists";

std::optional<std::vector<std::int32_t>> token_ids(const json::array& list) {
    std::vector<std::int32_t> ids;
    for (const auto& item : list) {
        const auto* id = item.if_int64();
        if (!id || *id < 0 || *id > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
        ids.push_back(static_cast<std::int32_t>(*id));
    }
    return ids;
}

std::optional<PredictInput> one_input(const json::value& value, bool tokens) {
    if (const auto* text = value.if_string()) return PredictInput(std::string(*text));
    if (!tokens || !value.is_array()) return std::nullopt;
    if (auto ids = token_ids(value.get_array())) return PredictInput(std::move(*ids));
    return std::nullopt;
}

}  // namespace

std::vector<PredictInput> read_inputs(JsonFields& fields, bool tokens) {
    std::vector<PredictInput> inputs;
    const auto* value = fields.required_value("input");
    if (!value) return inputs;
    const auto* list = value->if_array();
    bool alone = !list || (tokens && !list->empty() && list->front().is_number());
    auto add = [&](const json::value& item) {
        auto input = one_input(item, tokens);
        if (input) inputs.push_back(std::move(*input));
        return input.has_value();
    };
    bool fine = true;
    if (alone)
        fine = add(*value);
    else
        for (std::size_t i = 0; fine && i < list->size(); ++i) fine = add((*list)[i]);
    if (!fine) fields.fault("input", tokens ? expected_any : expected_text);
    return inputs;
}

PredictOrder begin_order(const Exchange& exchange) {
    PredictOrder order;
    order.request = exchange.id;
    order.caller = exchange.caller;
    order.batch = exchange.batch;
    order.presence = exchange.request.caller;
    if (auto key = exchange.request.header("Idempotency-Key")) {
        auto route = exchange.route->method + " " + exchange.route->pattern;
        order.once = OnceOnly{std::string(*key), std::move(route), exchange.fingerprint};
    }
    return order;
}

http::Response to_response(Exchange& exchange, const char* operation, Answered answered) {
    http::Response response;
    response.status = answered.status;
    response.body = std::move(answered.body);
    if (answered.replayed)
        response.headers.push_back({"Idempotent-Replayed", "true"});
    else
        exchange.services.metrics.count_usage(operation, answered.usage);
    return response;
}

void append_quoted(std::string& out, std::string_view text) { out += json::serialize(json::value(text)); }

void append_number(std::string& out, float value) {
    ROOTSTOCK_CHECK(std::isfinite(value), "a number that JSON cannot tell came out of the model");
    std::array<char, 32> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_usage(std::string& out, const Usage& usage) {
    auto tokens = std::to_string(usage.input_tokens);
    out.append("{\"prompt_tokens\":").append(tokens).append(",\"total_tokens\":").append(tokens).append("}");
}

}  // namespace rootstock
