#pragma once
// What the two routes that write have in common: reading how it shall be written, and answering at once or word by
// word.

#include <memory>
#include <string>
#include <vector>

#include "app/pipeline/exchange.h"

namespace rootstock {

// The body's fields without those that are null: OpenAI's clients send null for what they leave open.
json::object set_fields(const json::value& body);

// The order as the request's head and the fields that both routes share tell it. The contract has checked them.
GenerateOrder begin_writing_order(const Exchange& exchange, const json::object& fields, const char* operation);

struct StreamChoice {
    bool stream = false;
    bool usage = false;  // a last event with the usage
};
StreamChoice stream_choice(const json::object& fields);

// What all answers of one request carry.
struct AnswerHead {
    std::string id;  // "chatcmpl-..."
    std::string model, fingerprint;
    std::int64_t created = 0;

    // {"id", "object", "created", "model", "system_fingerprint"}
    json::object begin(std::string_view object) const;
};

// How a route tells what is written. One for each request.
class Teller {
public:
    virtual ~Teller() = default;
    virtual std::string whole(const AnswerHead& head, const Written& written) = 0;
    // Of a stream, each an event: before the first piece, of a piece (perhaps none), and of the end without the usage.
    virtual std::vector<json::object> opening(const AnswerHead& head) = 0;
    virtual std::vector<json::object> piece(const AnswerHead& head, const WrittenPiece& piece) = 0;
    virtual std::vector<json::object> closing(const AnswerHead& head, const Written& written) = 0;
    // The event that carries the usage alone.
    virtual json::object usage_event(const AnswerHead& head) = 0;
};

// Runs the journey and answers as the caller wants it: {prefix}{request}, told by `teller`.
Task<Result<http::Response>> answer_writing(Exchange& exchange, GenerateOrder order, StreamChoice choice,
                                            const char* prefix, std::unique_ptr<Teller> teller);

json::object usage_json(const Usage& usage);
// A token's bytes as text, and as numbers.
json::value token_text(std::string_view bytes);
json::array token_bytes(std::string_view bytes);

}  // namespace rootstock
