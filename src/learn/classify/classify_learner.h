#pragma once
// Tasks "classify" (texts) and "image" (pictures): low-rank updates and a classification head, measured by accuracy.

#include <memory>

#include "learn/classify/classify_rows.h"
#include "learn/learner.h"

namespace rootstock {

class ClassifyLearner : public Learner {
public:
    static Result<std::unique_ptr<Learner>> create(Job job);

    Parameters& parameters() override { return classifier_->parameters(); }
    std::size_t training_rows() const override { return rows_.train.size(); }
    std::size_t held_out_rows() const override { return rows_.held_out.size(); }
    const char* measure() const override { return "accuracy"; }
    json::object facts() const override;

    // Cross-entropy with a share label_smoothing of each target spread over all classes.
    Result<Lesson> learn(const std::vector<std::size_t>& rows, const Dropout& dropout) override;
    // Cross-entropy without smoothing.
    Result<Score> evaluate() override;
    // Accuracy decides, loss breaks ties. Patience counts accuracy alone: a loss can creep down for ever after the last
    // row is right.
    bool better(const Score& score, const Score& best) const override {
        return score.quality != best.quality ? score.quality > best.quality : score.loss < best.loss;
    }
    bool gained(const Score& score, const Score& best) const override { return score.quality > best.quality; }
    Result<void> publish(const TrainingProgress& progress) override;

private:
    ClassifyLearner(Job job, ClassifyRows rows, Model model, std::unique_ptr<SequenceClassifier> classifier);
    torch::Tensor labels(const std::vector<std::size_t>& chosen) const;
    Result<std::vector<SelfTest>> answer_self_tests(const Adapter& adapter) const;

    ClassifyRows rows_;
    Model model_;
    std::unique_ptr<SequenceClassifier> classifier_;
};

}  // namespace rootstock
