#pragma once
// The journey from rows of a table to paid scores. The steps are those of predict.h, on a table model of the caller's:
// it is a base of its own, so the desk of tables answers, and rows are what is counted and paid.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/journey.h"
#include "flow/predict.h"

namespace rootstock {

struct ScoreRowsOrder {
    RequestId request;
    tenant::Caller caller;
    std::string model;
    TableRows rows;                    // numbered from 1
    std::vector<std::string> digests;  // of each row, SHA-256
    bool lenient = false;              // cells that fit their column too little count as missing
    std::optional<OnceOnly> once;
    bool batch = false;                                                             // as in PredictOrder
    std::shared_ptr<http::Presence> presence = std::make_shared<http::Presence>();  // who leaves is not waited for
};

struct ScoredRows {
    std::string model;                 // "credit@2"
    std::string target;                // the column that was learned
    std::vector<std::string> classes;  // empty: the scores are numbers
    TableScores scores;                // in the order of the rows
    std::vector<PredictionId> predictions;
    std::vector<Problem> problems;  // cells that counted as missing
    Usage usage;                    // rows; no tokens
};

// Errors: those of Predict; invalid_argument names the row and the column at fault (param "rows", reasons
// "missing_column", "unknown_column", "unreadable_cell"); unsupported: the model reads no tables.
class ScoreRows {
public:
    ScoreRows(JourneyParts parts, TableDesk& desk, PredictLimits limits = {})
        : steps_(std::move(parts)), desk_(desk), limits_(limits) {}

    using Render = std::function<std::string(const ScoredRows&)>;  // the body
    boost::asio::awaitable<Result<Answered>> run(ScoreRowsOrder order, Render render);

    const PredictLimits& limits() const { return limits_; }
    void set_limits(const PredictLimits& limits) { limits_ = limits; }  // from now on; on the I/O thread

private:
    template <typename T>
    using Task = boost::asio::awaitable<T>;

    struct Journey;
    Task<Result<Answered>> score(ScoreRowsOrder& order, const Render& render);
    Task<Result<void>> resolve(Journey& journey);
    Task<Result<void>> encode(Journey& journey);
    Task<Result<void>> reserve(Journey& journey);
    Task<Result<InferAnswer>> infer(Journey& journey);
    ScoredRows read(Journey& journey, const InferAnswer& said) const;
    std::vector<catalog::Prediction> predictions_of(const Journey& journey, ScoredRows& answer) const;
    Task<Result<void>> settle(Journey& journey, const ScoredRows& answer, std::vector<catalog::Prediction> predictions,
                              const std::string& body);
    void tell(const Journey& journey, const Usage& usage) const;

    JourneySteps steps_;
    TableDesk& desk_;
    PredictLimits limits_;
};

}  // namespace rootstock
