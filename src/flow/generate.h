#pragma once
// The journey from a request to a written, paid answer (generate.cpp):
//
//   claim     an Idempotency-Key seen before is answered as before
//   resolve   the name to a base model that writes, or the caller's adapter on one
//   prompt    the conversation through the model's own template, or the texts as they are, to tokens
//   reserve   the highest possible price: the prompt as it is, and all that may be written
//             -- up to here a failure is an error with a status; from here on the answer may be streamed --
//   write     in the batch with others, token by token; marks of how much was told, so that a crash is settled by them
//   settle    the tokens that were counted where they were made: one durable commit
//   answer    the last piece, only now
//
// Who leaves stops the writing within one step and pays what was written until then. A fault of ours costs nothing.
//
// Coroutines of one io_context thread; the store's writer and the inference threads hand back to it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "flow/journey.h"
#include "flow/writing/shape.h"
#include "http/http.h"

namespace rootstock {

struct GenerateLimits {
    std::chrono::milliseconds time_max{600'000};  // waiting and writing; an answer that takes longer is a fault of ours
    int tokens_max = 4096;                        // of one answer, whatever is asked for
    std::size_t prompts_max = 64;                 // of one request
    std::size_t prompt_bytes_max = 4 << 20;       // of all its texts
};

struct Conversation {
    json::array messages;
    json::value tools;  // list of tool schemas; null: none
};
using Prompt = std::variant<std::string, std::vector<std::int32_t>>;

struct GenerateOrder {
    RequestId request;
    tenant::Caller caller;
    std::string operation;  // "chat", "complete": for the books
    std::string model;
    std::variant<Conversation, std::vector<Prompt>> prompt;
    int choices = 1;                // texts for each prompt
    std::optional<int> tokens_max;  // of each text; nothing: as many as fit
    SamplingOptions sampling;
    std::vector<std::string> stops;  // a text ends before any of these
    int logprobs = -1;               // each token's and the so many best ones'; -1: none
    TextShape shape;                 // what may be written
    bool show_special = false;       // special tokens are part of the text: where tool calls are marked by them
    std::optional<OnceOnly> once;
    std::shared_ptr<http::Presence> presence = std::make_shared<http::Presence>();
    bool batch = false;  // a line of a batch: waits in a lane of its own, so that it delays no direct request
};

// A token as it is told: the bytes it adds to the text, and its logarithmic probability.
struct ToldToken {
    struct Chance {
        std::string bytes;
        float logprob = 0;
    };
    std::string bytes;
    float logprob = 0;
    std::vector<Chance> top;
};

struct WrittenPiece {
    int text = 0;  // prompt x choices + choice
    std::string words;
    std::vector<ToldToken> tokens;  // when logprobs are asked for
    std::int64_t written = 0;       // tokens of the whole request, up to this piece
};

struct WrittenText {
    std::string words;
    std::vector<ToldToken> tokens;
    std::string finish;  // "stop", "length"
};

struct Written {
    std::vector<WrittenText> texts;
    Usage usage;
    bool partial = false;  // the caller left before the end
};

// A request whose price is on hold. run() must be called, once: it lets go of the hold or books what was used.
class Writing {
public:
    // Hears pieces in the order they are made. False: nobody listens any more.
    using Hear = std::function<boost::asio::awaitable<bool>(std::vector<WrittenPiece>)>;
    // The body as it is kept for the idempotency key; called before the answer is settled.
    using Render = std::function<std::string(const Written&)>;

    // Errors: overloaded, unavailable, too_large, internal; nothing is charged then.
    boost::asio::awaitable<Result<Written>> run(Hear hear, Render render);

    const std::string& model() const;  // as the answer names it
    const std::string& base_digest() const;
    Timestamp created() const;

    struct State;
    explicit Writing(std::unique_ptr<State> state);
    ~Writing();

private:
    std::unique_ptr<State> state_;
};

struct Begun {
    std::optional<Answered> replay;    // it was answered before, or
    std::shared_ptr<Writing> writing;  // it is to be written
};

class Generate {
public:
    explicit Generate(JourneyParts parts, GenerateLimits limits = {});
    ~Generate();

    // Errors: not_found (model_not_found), unsupported, invalid_argument, too_long (context_length_exceeded, saying by
    // how much), too_large, insufficient_quota, rate_limited, permission_denied (no_price), conflict (idempotency),
    // unavailable.
    boost::asio::awaitable<Result<Begun>> begin(GenerateOrder order);

    const GenerateLimits& limits() const { return limits_; }
    void set_limits(const GenerateLimits& limits) { limits_ = limits; }  // of orders to come; on the I/O thread

private:
    JourneySteps steps_;
    GenerateLimits limits_;
};

}  // namespace rootstock
