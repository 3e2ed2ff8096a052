#pragma once
// What the routes have in common whose work is Read: the order, texts within their limits, pairs of texts as tokens.

#include "app/pipeline/exchange.h"
#include "app/routes/prediction_request.h"

namespace rootstock {

ReadOrder begin_reading(const Exchange& exchange, std::string model);

// A list of at least one string, each within the limits; `param` names the field.
Result<std::vector<std::string>> read_texts(const json::value& value, const char* param, const PredictLimits& limits);

// too_long unless `truncate`, which shortens the longer text; what the tokenizer refuses is a fault of `param`.
Result<Encoding> encode_pair(const ServedModel& model, const std::string& first, const std::string& second,
                             bool truncate, const char* param);

// A text by itself, likewise.
Result<std::vector<std::int32_t>> encode_one(const ServedModel& model, const std::string& text, bool truncate,
                                             const char* param);

// Of two embeddings, whose length is 1.
float cosine(const std::vector<float>& one, const std::vector<float>& other);

// With its token types where the model tells texts apart by them.
void add_row(const Encoding& encoding, const ServedModel& model, ReadRows& rows);

// The characters [begin, end) of a valid UTF-8 text.
std::string_view characters(std::string_view text, CharSpan span);

Task<Result<http::Response>> read_and_respond(Exchange& exchange, ReadOrder order, ReadTask task);

}  // namespace rootstock
