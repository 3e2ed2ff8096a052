#include "app/routes/reading_request.h"

#include <algorithm>
#include <numeric>

namespace rootstock {
namespace {

std::unexpected<Error> too_many_tokens(const char* what, std::size_t tokens, std::int32_t most, const char* param) {
    return fail(ErrorCode::too_long,
                "'" + std::string(param) + "' " + what + " of " + std::to_string(tokens) +
                    " tokens; this model takes at most " + std::to_string(most) +
                    ": shorten it or send \"truncate\": true",
                param, "context_length_exceeded");
}

}  // namespace

ReadOrder begin_reading(const Exchange& exchange, std::string model) {
    auto order = begin_order(exchange);
    return {order.request, std::move(order.caller), std::move(model), std::move(order.once), std::move(order.presence)};
}

Result<std::vector<std::string>> read_texts(const json::value& value, const char* param, const PredictLimits& limits) {
    const std::string name(param);
    const auto* list = value.if_array();
    if (!list || list->empty())
        return fail(ErrorCode::invalid_argument, "'" + name + "' must be a list of at least one string", name);
    if (list->size() > limits.inputs_max)
        return fail(ErrorCode::invalid_argument,
                    "'" + name + "' has " + std::to_string(list->size()) + " entries; at most " +
                        std::to_string(limits.inputs_max) + " go in one request",
                    name, "too_many_inputs");
    std::vector<std::string> texts;
    for (const auto& item : *list) {
        const auto* text = item.if_string();
        if (!text) return fail(ErrorCode::invalid_argument, "'" + name + "' must be a list of strings", name);
        if (text->size() > limits.input_bytes_max)
            return fail(ErrorCode::too_long,
                        "'" + name + "' holds a text of " + std::to_string(text->size()) + " bytes; at most " +
                            std::to_string(limits.input_bytes_max) + " are read",
                        name, "context_length_exceeded");
        texts.emplace_back(*text);
    }
    return texts;
}

Result<Encoding> encode_pair(const ServedModel& model, const std::string& first, const std::string& second,
                             bool truncate, const char* param) {
    const auto most = model.spec().positions_max;
    auto pair = model.base.tokenizer.encode_pair(first, second, {.max_tokens = truncate ? most : 0});
    if (!pair) return fail(pair.error().code, "'" + std::string(param) + "': " + pair.error().message, param);
    if (pair->ids.size() <= static_cast<std::size_t>(most)) return pair;
    return too_many_tokens("makes a pair", pair->ids.size(), most, param);
}

Result<std::vector<std::int32_t>> encode_one(const ServedModel& model, const std::string& text, bool truncate,
                                             const char* param) {
    const auto most = model.spec().positions_max;
    std::vector<std::int32_t> ids;
    auto length = model.base.tokenizer.encode_ids(text, {.max_tokens = truncate ? most : 0}, ids);
    if (!length) return fail(length.error().code, "'" + std::string(param) + "': " + length.error().message, param);
    if (ids.size() <= static_cast<std::size_t>(most)) return ids;
    return too_many_tokens("holds a text", ids.size(), most, param);
}

float cosine(const std::vector<float>& one, const std::vector<float>& other) {
    return std::inner_product(one.begin(), one.end(), other.begin(), 0.0f);
}

void add_row(const Encoding& encoding, const ServedModel& model, ReadRows& rows) {
    rows.ids.push_back(encoding.ids);
    if (model.spec().types > 1) rows.types.push_back(encoding.type_ids);
}

std::string_view characters(std::string_view text, CharSpan span) {
    std::size_t at = 0, begin = text.size();
    for (std::int32_t character = 0; at < text.size(); ++character) {
        if (character == span.begin) begin = at;
        if (character == span.end) break;
        do ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    }
    return text.substr(std::min(begin, at), at - std::min(begin, at));
}

Task<Result<http::Response>> read_and_respond(Exchange& exchange, ReadOrder order, ReadTask task) {
    const std::string operation = task.operation;
    auto answered = co_await exchange.services.reading->run(std::move(order), std::move(task));
    if (!answered) co_return fail(answered.error());
    co_return to_response(exchange, operation.c_str(), std::move(*answered));
}

}  // namespace rootstock
