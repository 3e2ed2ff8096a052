#pragma once
// The journey of a request that a base model's own head or its embeddings answer: reranking, similarity, entities,
// answers found in a text. The steps are those of predict.h; what a task is made of stands in its ReadTask, so that one
// journey serves them all.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/journey.h"
#include "flow/predict.h"

namespace rootstock {

struct ReadOrder {
    RequestId request;
    tenant::Caller caller;
    std::string model;
    std::optional<OnceOnly> once;
    std::shared_ptr<http::Presence> presence = std::make_shared<http::Presence>();  // who leaves is not waited for
};

struct ReadRows {
    std::vector<std::vector<std::int32_t>> ids;
    std::vector<std::vector<std::int32_t>> types;  // as many, or none
};

struct ReadTask {
    std::string operation;             // as the books say it: "rerank"
    std::string purpose;               // as sentences say it: "reranking"
    std::vector<HeadKind> heads = {};  // of which any will do
    bool embeddings = false;           // and without one of them the model's embeddings do

    // The text as rows; runs on the pool, before anything is reserved. What it needs later it keeps for itself.
    std::function<Result<ReadRows>(const ServedModel&)> tokenize = {};
    // The body; runs on the pool. The rows are what heads or embeddings gave (reads_with_head).
    std::function<std::string(const ServedModel&, const InferAnswer&, const Usage&)> answer = {};

    bool reads_with_head(const ServedModel& model) const;
};

// Errors: those of Predict.
class Read {
public:
    explicit Read(JourneyParts parts, PredictLimits limits = {}) : steps_(std::move(parts)), limits_(limits) {}

    boost::asio::awaitable<Result<Answered>> run(ReadOrder order, ReadTask task);

    const PredictLimits& limits() const { return limits_; }
    void set_limits(const PredictLimits& limits) { limits_ = limits; }  // from now on; on the I/O thread

private:
    template <typename T>
    using Task = boost::asio::awaitable<T>;

    struct Journey;
    Task<Result<Answered>> read(const ReadOrder& order, const ReadTask& task);
    Task<Result<void>> tokenize(Journey& journey);
    Task<Result<void>> reserve(Journey& journey);
    Task<void> give_up(const Journey& journey, std::int64_t compute_micros);
    Task<Result<InferAnswer>> infer(Journey& journey);
    Task<Result<void>> settle(Journey& journey, Usage usage, const std::string& body);
    void tell(const Journey& journey, const Usage& usage) const;

    JourneySteps steps_;
    PredictLimits limits_;
};

}  // namespace rootstock
