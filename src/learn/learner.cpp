#include "learn/learner.h"

#include "learn/chat/chat_learner.h"
#include "learn/classify/classify_learner.h"
#include "learn/table/table_learner.h"

namespace rootstock {

Result<std::unique_ptr<Learner>> make_learner(Job job) {
    const auto& task = job.spec.task;
    if (task == "classify" || task == "image") return ClassifyLearner::create(std::move(job));
    if (task == "chat") return ChatLearner::create(std::move(job));
    if (task == "table") return TableLearner::create(std::move(job));
    return fail(
        ErrorCode::unsupported,
        "job.json: task \"" + task + "\" is unknown; this program does \"classify\", \"image\", \"chat\" and \"table\"",
        "task");
}

json::object lineage_of(const Learner& learner, const TrainingProgress& progress) {
    const auto& job = learner.job();
    json::object lineage{{"job_digest", job.digest},
                         {"lora", to_json(job.spec.lora)},
                         {"train", to_json(job.spec.train)},
                         {"training_rows", learner.training_rows()},
                         {"validation_rows", learner.held_out_rows()},
                         {"trained_tokens", progress.trained_tokens},
                         {"steps", progress.step},
                         {"epochs", progress.epoch}};
    if (progress.has_best) {
        lineage["best_epoch"] = progress.best_epoch;
        lineage[std::string("validation_") + learner.measure()] = progress.best.quality;
        lineage["validation_loss"] = progress.best.loss;
    }
    return lineage;
}

}  // namespace rootstock
