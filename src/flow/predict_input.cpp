#include "flow/predict_input.h"

#include <algorithm>
#include <span>

namespace rootstock {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr const char* too_long_word = "context_length_exceeded";

std::string place(std::size_t input) { return "input " + std::to_string(input); }

std::unexpected<Error> too_long(std::size_t input, std::size_t tokens, std::int32_t tokens_max) {
    auto over = tokens - static_cast<std::size_t>(tokens_max);
    return fail(ErrorCode::too_long,
                place(input) + " has " + std::to_string(tokens) + " tokens, " + std::to_string(over) +
                    " more than the " + std::to_string(tokens_max) +
                    " this model takes; shorten it or send \"truncate\": true",
                "input", too_long_word);
}

// The tokens, cut if so ordered, and how many there were.
Result<std::size_t> encode(const PredictInput& input, std::int32_t tokens_max, bool truncate,
                           const Tokenizer& tokenizer, Ids& ids) {
    if (const auto* text = std::get_if<std::string>(&input))
        return tokenizer.encode_ids(*text, {.max_tokens = truncate ? tokens_max : 0}, ids);
    ids = std::get<Ids>(input);
    auto length = ids.size();
    if (truncate) ids.resize(std::min(length, static_cast<std::size_t>(tokens_max)));
    return length;
}

}  // namespace

Result<void> check_inputs(const PredictOrder& order, const PredictLimits& limits) {
    if (order.inputs.empty()) return fail(ErrorCode::invalid_argument, "'input' is empty: send at least one", "input");
    if (order.inputs.size() > limits.inputs_max)
        return fail(ErrorCode::invalid_argument,
                    "'input' has " + std::to_string(order.inputs.size()) + " entries; at most " +
                        std::to_string(limits.inputs_max) + " go in one request",
                    "input", "too_many_inputs");
    for (std::size_t i = 0; i < order.inputs.size(); ++i) {
        const auto* text = std::get_if<std::string>(&order.inputs[i]);
        if (text && text->size() > limits.input_bytes_max)
            return fail(ErrorCode::too_long,
                        place(i) + " has " + std::to_string(text->size()) + " bytes; at most " +
                            std::to_string(limits.input_bytes_max) + " are read",
                        "input", too_long_word);
    }
    return {};
}

std::size_t bytes_of(const PredictOrder& order) {
    std::size_t bytes = 0;
    for (const auto& input : order.inputs)
        if (const auto* text = std::get_if<std::string>(&input))
            bytes += text->size();
        else if (const auto* picture = std::get_if<PictureFile>(&input))
            bytes += picture->bytes.size();
    return bytes;
}

namespace {

Result<PredictRows> tokens_of(const PredictOrder& order, std::int32_t tokens_max, const Tokenizer& tokenizer) {
    PredictRows rows;
    rows.ids.resize(order.inputs.size());
    for (std::size_t i = 0; i < order.inputs.size(); ++i) {
        auto length = encode(order.inputs[i], tokens_max, order.truncate, tokenizer, rows.ids[i]);
        if (!length) return fail(length.error().code, place(i) + ": " + length.error().message, "input");
        if (!order.truncate && *length > static_cast<std::size_t>(tokens_max)) return too_long(i, *length, tokens_max);
    }
    return rows;
}

Result<PredictRows> pictures_of(const PredictOrder& order, const PictureReader& reader) {
    PredictRows rows;
    rows.pictures.resize(order.inputs.size());
    for (std::size_t i = 0; i < order.inputs.size(); ++i) {
        const auto& bytes = std::get<PictureFile>(order.inputs[i]).bytes;
        auto read = reader.read(std::as_bytes(std::span(bytes)), "image " + std::to_string(i), rows.pictures[i]);
        if (read) continue;
        auto error = read.error();
        if (error.code == ErrorCode::corrupt) error.code = ErrorCode::invalid_argument;  // the sender can mend it
        error.param = "image";
        return fail(std::move(error));
    }
    return rows;
}

bool all_pictures(const PredictOrder& order) {
    return std::ranges::all_of(order.inputs,
                               [](const auto& input) { return std::holds_alternative<PictureFile>(input); });
}

}  // namespace

Result<PredictRows> rows_of(const PredictOrder& order, std::int32_t tokens_max, const ServedModel& model) {
    const bool pictures = all_pictures(order);
    const char* other = pictures ? "' reads texts; ask /v1/classify" : "' sees pictures; ask /v1/images/classify";
    if (pictures == model.reads_text())
        return fail(ErrorCode::unsupported, "the model '" + order.model + other, "model");
    return pictures ? pictures_of(order, *model.base.pictures) : tokens_of(order, tokens_max, *model.base.tokenizer);
}

std::string digest_of(const PredictInput& input) {
    if (const auto* text = std::get_if<std::string>(&input)) return sha256_hex(*text);
    if (const auto* picture = std::get_if<PictureFile>(&input)) return sha256_hex(picture->bytes);
    const auto& ids = std::get<Ids>(input);
    return sha256_hex({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(ids[0])});
}

}  // namespace rootstock
