#pragma once
// The journey from a request to a paid answer, in one readable file (predict.cpp):
//
//   claim       an Idempotency-Key seen before is answered as before
//   resolve     the name to the caller's live adapter (or the base model), loaded if it is not in memory
//   tokenize    and know exactly what the request costs
//   reserve     that price on the caller's account under the request id, before any work
//   infer       in the fair queue, in batches with others
//   settle      post the usage, record the predictions, keep the answer for its key: one durable commit
//   answer      only now; if anything failed after reserve, the hold is void and nothing is charged
//
// Coroutines of one io_context thread; the store's writer and the inference thread hand back to it.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "flow/journey.h"
#include "http/http.h"

namespace rootstock {

struct PredictLimits {
    std::chrono::milliseconds time_max{30'000};      // waiting for its turn; overloaded after
    std::size_t inputs_max = 2048;                   // of one request
    std::size_t input_bytes_max = 1024 * 1024;       // of one input
    std::size_t bytes_on_io_thread_max = 32 * 1024;  // a request with more text is tokenized on the pool
    std::size_t rows_on_io_thread_max = 64;          // an answer to more inputs is written out on the pool
};

// A text, or token ids as they are (special tokens included).
using PredictInput = std::variant<std::string, std::vector<std::int32_t>>;

struct PredictOrder {
    RequestId request;
    tenant::Caller caller;
    std::string model;
    std::vector<PredictInput> inputs;
    bool truncate = false;  // cut inputs that are too long, instead of refusing them
    std::optional<OnceOnly> once;
    bool batch = false;  // a line of a batch: waits in a lane of its own, so that it delays no direct request
    std::shared_ptr<http::Presence> presence = std::make_shared<http::Presence>();  // who leaves is not waited for
};

struct Classified {
    std::string model;  // "name@version" that answered
    std::vector<std::string> labels;
    std::vector<std::vector<float>> probabilities;  // per input, in the labels' order
    std::vector<PredictionId> predictions;          // per input
    Usage usage;
};

struct Embedded {
    std::string model;
    std::vector<std::vector<float>> vectors;  // per input, of length 1
    Usage usage;
};

// Errors: not_found (model_not_found), invalid_argument, too_long, too_large, unsupported, insufficient_quota,
// rate_limited, overloaded, conflict (the key is running, reason "idempotency_running"; "idempotency_key_reused"),
// unavailable.
class Predict {
public:
    explicit Predict(JourneyParts parts, PredictLimits limits = {});
    ~Predict();

    void set_limits(const PredictLimits& limits);  // from now on; on the I/O thread

    template <typename T>
    using Render = std::function<std::string(const T&)>;  // the body

    boost::asio::awaitable<Result<Answered>> classify(PredictOrder order, Render<Classified> render);
    boost::asio::awaitable<Result<Answered>> embed(PredictOrder order, Render<Embedded> render);

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
