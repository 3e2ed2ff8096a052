#include "app/routes/reading_request.h"

#include <algorithm>

namespace rootstock {

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
    return fail(ErrorCode::too_long,
                "'" + std::string(param) + "' makes a pair of " + std::to_string(pair->ids.size()) +
                    " tokens; this model " + "takes at most " + std::to_string(most) +
                    ": shorten it or send \"truncate\": true",
                param, "context_length_exceeded");
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
