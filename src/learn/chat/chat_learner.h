#pragma once
// Task "chat": low-rank updates of a causal language model on rows of tokens that each count or do not (data's
// token_rows.h), packed without padding; rows do not see each other. Measured by the weighed loss of held-out words and
// the share of them that the model finds likeliest.

#include <memory>
#include <vector>

#include "autograd/autograd.h"
#include "data/data.h"
#include "learn/learner.h"

namespace rootstock {

class ChatLearner : public Learner {
public:
    static Result<std::unique_ptr<Learner>> create(Job job);

    Parameters& parameters() override { return language_->parameters(); }
    std::size_t training_rows() const override { return split_.train.size(); }
    std::size_t held_out_rows() const override { return split_.held_out.size(); }
    const char* measure() const override { return "mean_token_accuracy"; }
    json::object facts() const override;

    // The mean over the weights of all rows' words, whatever row they stand in. The rows go through the model in parts
    // of so many tokens that memory stays bounded; their gradients add up.
    Result<Lesson> learn(const std::vector<std::size_t>& rows, const Dropout& dropout) override;
    Result<Score> evaluate() override;
    bool better(const Score& score, const Score& best) const override { return score.loss < best.loss; }
    bool gained(const Score& score, const Score& best) const override { return score.loss < best.loss; }
    Result<void> publish(const TrainingProgress& progress) override;

private:
    ChatLearner(Job job, std::vector<TokenRow> rows, RowSplit split, Model model,
                std::unique_ptr<LanguageModel> language);

    // Some rows, packed and staged, and what they have to say.
    struct Part {
        StagedBatch batch;
        NextWords words;
    };
    Result<Part> part(const std::vector<std::size_t>& rows) const;
    BatchPlan parts_of(const std::vector<std::size_t>& rows) const;
    Result<std::vector<SelfTest>> answer_self_tests(const Adapter& adapter) const;

    std::vector<TokenRow> rows_;
    RowSplit split_;
    Model model_;
    std::unique_ptr<LanguageModel> language_;
};

}  // namespace rootstock
