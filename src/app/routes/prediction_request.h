#pragma once
// What the two routes that predict have in common: reading the order, writing numbers, answering.

#include <span>
#include <string>

#include "app/pipeline/exchange.h"

namespace rootstock {

// "input": a string, a list of strings, and with `tokens` also a list of token ids or a list of such lists.
std::vector<PredictInput> read_inputs(JsonFields& fields, bool tokens);

// The order as the request's head tells it: who, which request, and its Idempotency-Key with the body's fingerprint.
PredictOrder begin_order(const Exchange& exchange);

// The body as JSON, with "Idempotent-Replayed: true" when it was kept from before; counts what was used.
http::Response to_response(Exchange& exchange, const char* operation, Answered answered);

// [{"object":"classification","index":0,"label","score","probabilities":[...],"prediction_id"}, ...] in a list with
// model and usage; `top_k` labels of each input, likeliest first.
std::string render_classified(const Classified& answer, std::size_t top_k);

// Labels by falling probability; equal ones in the labels' order.
std::vector<std::size_t> ranking(const std::vector<float>& probabilities);

void append_quoted(std::string& out, std::string_view text);  // a JSON string
void append_number(std::string& out, float value);            // the shortest text that reads back as the same float
void append_usage(std::string& out, const Usage& usage);      // {"prompt_tokens":7,"total_tokens":7}

}  // namespace rootstock
