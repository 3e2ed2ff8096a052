#pragma once
// What a task adds to the journey of finetune.cpp: how its rows are read and put into the job folder, and how its
// adapter is checked and measured.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "evaluate/evaluate.h"
#include "flow/finetune.h"
#include "flow/tuning/learner.h"
#include "flow/tuning/plan.h"
#include "model/model.h"

namespace rootstock {

// The rows of a job's files, read and checked before anything is written.
class TaskRows {
public:
    virtual ~TaskRows() = default;

    virtual std::vector<std::string> labels() const { return {}; }  // of a classification
    virtual void describe(TuningPlan& plan) const = 0;       // digests, columns, counts; settings chosen by the rows
    virtual void summarise(PreparedJob& summary) const = 0;  // for people
    // train.jsonl, problems.jsonl, and eval.jsonl with its problems when there are such rows.
    virtual Result<void> write(const std::filesystem::path& job_folder) const = 0;
};

// What the adapter turned out to be.
struct Examination {
    std::unique_ptr<TuningReport> report;
    std::string measured_on;       // "test.csv", "validation rows of train.csv"
    std::string checked;           // "8 self-tests agree within ..."
    std::string base_digest = {};  // of a model that is its own base; empty: the job's base
};

struct TuningTask {
    const char* name;
    // The order's files against the base model, whose folder is the second argument; without one both are empty.
    Result<std::unique_ptr<TaskRows>> (*read)(const FinetuneOrder&, const std::filesystem::path&, const Model&);
    Result<Examination> (*examine)(const TuningJob&, const Learned&);
    bool needs_base = true;  // false: the task makes a model of its own
};

// unsupported: lists the known ones.
Result<const TuningTask*> find_task(const std::string& name);

// One file a task.
extern const TuningTask classify_task, image_task;  // texts and pictures, measured alike
extern const TuningTask chat_task;
extern const TuningTask table_task;

}  // namespace rootstock
