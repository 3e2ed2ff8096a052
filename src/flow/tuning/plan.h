#pragma once
// What a tuning job was asked for, as the catalog keeps it with the job: enough to take it up again after a crash.

#include <filesystem>
#include <string>

#include "base/base.h"
#include "flow/tuning/table_settings.h"

namespace rootstock {

struct TuningPlan {
    std::string task = "classify";
    std::string name;  // of the adapter to be
    TenantId owner;    // empty: the house
    std::string base_digest, base_name, base_folder;
    std::string data_source, dataset_digest;  // file as given, SHA-256
    std::string eval_source, eval_digest;     // empty: measured on validation rows
    std::string text_column, label_column;
    std::int64_t rows = 0, kept_aside = 0, eval_kept_aside = 0;
    LoraSettings lora;
    TrainSettings train;
    TableSettings table;  // task "table"
};

json::value to_json(const TuningPlan& plan);
Result<TuningPlan> tuning_plan_from_json(const json::value& value);

// Files of the job folder that flow adds to those of base/job.h.
inline std::filesystem::path rows_file(const std::filesystem::path& job) { return job / "train.jsonl"; }
inline std::filesystem::path valid_file(const std::filesystem::path& job) { return job / "valid.jsonl"; }
inline std::filesystem::path config_file(const std::filesystem::path& job) { return job / "config.json"; }
inline std::filesystem::path eval_file(const std::filesystem::path& job) { return job / "eval.jsonl"; }
inline std::filesystem::path problems_file(const std::filesystem::path& job) { return job / "problems.jsonl"; }
inline std::filesystem::path eval_problems_file(const std::filesystem::path& job) {
    return job / "eval-problems.jsonl";
}
inline std::filesystem::path events_file(const std::filesystem::path& job) { return job / "events.jsonl"; }
inline std::filesystem::path adapter_folder(const std::filesystem::path& job) { return job / "adapter"; }
inline std::filesystem::path checkpoint_folder(const std::filesystem::path& job) { return job / "checkpoint"; }

}  // namespace rootstock
