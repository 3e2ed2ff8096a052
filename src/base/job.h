#pragma once
// The job folder: how `rootstock` and `rootstock-learn` speak with each other (docs/formats/job-folder.md).
//
//   job.json       what to do: JobSpec as JSON
//   train.jsonl    one example a line: {"text": "...", "label": 3, "row": 17}
//   checkpoint/    written by rootstock-learn; a killed run resumes from it
//   adapter/       written by rootstock-learn when done (PEFT folder)
//   tensorboard/   event files
//   events.jsonl   every event printed on standard output, kept
//
// Events are one JSON object a line on standard output, each with "event":
//   started    {examples, validation, tokens, steps, parameters, trainable, labels, seed, device, resumed_from}
//   step       {step, steps, epoch, loss, learning_rate, examples_per_s, seconds_left}
//   evaluation {step, epoch, loss, accuracy, best}
//   checkpoint {step}
//   done       {step, epoch, best_accuracy, seconds, train_seconds, examples_per_s, peak_rss_bytes, stopped_early}
//   error      {code, message}

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace rootstock {

struct LoraSettings {
    int rank = 16;                     // r of LoRA (Hu et al., 2021)
    double alpha = 32;                 // the update is scaled by alpha / rank
    double dropout = 0.0;              // on the input of A
    bool rank_stabilised = false;      // rsLoRA: alpha / sqrt(rank)
    std::vector<std::string> targets;  // names of linear maps as the spec calls them ("query", "inner", ...);
                                       // empty: all of them
};

struct TrainSettings {
    int epochs = 6;
    int batch_examples = 32;           // examples per optimiser step
    double learning_rate = 1e-3;       // peak, for the low-rank matrices
    double head_learning_rate = 5e-3;  // peak for the head, which starts from nothing; 0: the same
    double weight_decay = 0.01;        // AdamW (Loshchilov and Hutter, 2019)
    double warmup = 0.06;              // share of all steps with linear warm-up; linear decay to zero after
    double clip_norm = 1.0;            // gradient norm is clipped to this
    double label_smoothing = 0.1;      // share of each target spread over all labels (Szegedy et al., 2016)
    double validation = 0.1;           // share of the rows held out, stratified; 0: none, no early stop
    int patience = 3;                  // evaluations (one per epoch) without a better score before stopping
    std::uint64_t seed = 42;
    int max_tokens = 128;            // longer texts are cut, and counted in the report
    bool bf16 = true;                // matrix products in bfloat16, master weights and norms in fp32
    double checkpoint_seconds = 60;  // a checkpoint at least this often, and after every epoch
    int threads = 0;                 // 0: all cores
};

struct JobSpec {
    int format = 1;
    std::string kind = "finetune";
    std::string task = "classify";
    std::string base_folder;  // the model's folder
    std::string base_digest;
    std::vector<std::string> labels;  // label i of train.jsonl has name labels[i]
    LoraSettings lora;
    TrainSettings train;
};

json::value to_json(const LoraSettings& settings);
json::value to_json(const TrainSettings& settings);
json::value to_json(const JobSpec& spec);

// Refuses unknown fields and values out of range, naming them.
Result<LoraSettings> lora_settings_from_json(const json::value& value);
Result<TrainSettings> train_settings_from_json(const json::value& value);
Result<JobSpec> job_spec_from_json(const json::value& value);

Result<void> write_job_spec(const std::filesystem::path& folder, const JobSpec& spec);
Result<JobSpec> read_job_spec(const std::filesystem::path& folder);

}  // namespace rootstock
