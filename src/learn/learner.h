#pragma once
// What a task is learned with: its rows, its model and what it is measured by. The loop (trainer.cpp) knows tasks only
// through this face; each task has a folder: classify/, chat/.

#include <torch/torch.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "autograd/autograd.h"
#include "learn/job.h"
#include "learn/progress.h"

namespace rootstock {

class Learner {
public:
    virtual ~Learner() = default;

    const Job& job() const { return job_; }
    virtual Parameters& parameters() = 0;
    virtual std::size_t training_rows() const = 0;
    virtual std::size_t held_out_rows() const = 0;

    // The name of a quality in events, in the report and in the lineage: "accuracy".
    virtual const char* measure() const = 0;
    // What the event `started` says of rows, model and device.
    virtual json::object facts() const = 0;

    // Forward and backward of some training rows (each below training_rows()): adds the gradient of their mean loss to
    // the parameters', which stand at zero. The same rows and dropout give the same bits.
    virtual Result<Lesson> learn(const std::vector<std::size_t>& rows, const Dropout& dropout) = 0;

    // The present parameters on the held-out rows, of which there is at least one.
    virtual Result<Score> evaluate() = 0;
    // Which of two states is kept, and whether the first is a gain for which patience begins anew.
    virtual bool better(const Score& score, const Score& best) const = 0;
    virtual bool gained(const Score& score, const Score& best) const = 0;

    // Writes job().folder/adapter/ from the present parameters, with self-tests that the fp32 reference answers, so
    // that whoever loads it can ask again.
    virtual Result<void> publish(const TrainingProgress& progress) = 0;

protected:
    explicit Learner(Job job) : job_(std::move(job)) {}

private:
    Job job_;
};

// The learner of the job's task. unsupported: a task that this program does not know; and what the task's own says.
Result<std::unique_ptr<Learner>> make_learner(Job job);

// What every adapter's lineage holds: the settings and how far training came.
json::object lineage_of(const Learner& learner, const TrainingProgress& progress);

}  // namespace rootstock
