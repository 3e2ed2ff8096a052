#pragma once
// Task "table": every parameter of a table transformer, from fresh ones on. Classes are
// learned by cross-entropy and measured by accuracy; numbers by the mean squared error of the scaled label, and
// measured by the share of its variance that is explained (r2). The lower loss on the held-out rows is kept.

#include <memory>

#include "learn/learner.h"
#include "learn/table/table_rows.h"

namespace rootstock {

class TableLearner : public Learner {
public:
    static Result<std::unique_ptr<Learner>> create(Job job);

    Parameters& parameters() override { return model_->parameters(); }
    std::size_t training_rows() const override { return static_cast<std::size_t>(rows_.train.rows); }
    std::size_t held_out_rows() const override { return static_cast<std::size_t>(rows_.held_out.rows); }
    const char* measure() const override { return rows_.classes() ? "accuracy" : "r2"; }
    json::object facts() const override;

    Result<Lesson> learn(const std::vector<std::size_t>& rows, const Dropout& dropout) override;
    Result<Score> evaluate() override;
    bool better(const Score& score, const Score& best) const override { return score.loss < best.loss; }
    bool gained(const Score& score, const Score& best) const override { return score.loss < best.loss; }
    Result<void> publish(const TrainingProgress& progress) override;

private:
    struct Answered;
    TableLearner(Job job, TableJobRows rows, std::unique_ptr<HeadedModel> model);
    Result<Answered> answer(const EncodedTable& rows, const std::vector<std::size_t>& chosen, const Dropout& dropout,
                            bool learning);
    Model trained_model() const;
    Result<std::string> self_tests(const Model& model) const;

    TableJobRows rows_;
    std::unique_ptr<HeadedModel> model_;
    torch::Tensor class_weights_;  // undefined: every row counts the same
};

}  // namespace rootstock
