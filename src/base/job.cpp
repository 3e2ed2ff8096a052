#include "base/job.h"

#include "base/files.h"

namespace rootstock {
namespace {

constexpr std::int64_t seed_max = INT64_MAX;

json::array to_array(const std::vector<std::string>& texts) {
    json::array array;
    for (const auto& text : texts) array.emplace_back(text);
    return array;
}

}  // namespace

json::value to_json(const LoraSettings& settings) {
    return json::object{{"rank", settings.rank},
                        {"alpha", settings.alpha},
                        {"dropout", settings.dropout},
                        {"rank_stabilised", settings.rank_stabilised},
                        {"targets", to_array(settings.targets)}};
}

json::value to_json(const TrainSettings& settings) {
    return json::object{{"epochs", settings.epochs},
                        {"batch_examples", settings.batch_examples},
                        {"learning_rate", settings.learning_rate},
                        {"head_learning_rate", settings.head_learning_rate},
                        {"weight_decay", settings.weight_decay},
                        {"warmup", settings.warmup},
                        {"clip_norm", settings.clip_norm},
                        {"label_smoothing", settings.label_smoothing},
                        {"validation", settings.validation},
                        {"patience", settings.patience},
                        {"seed", settings.seed},
                        {"max_tokens", settings.max_tokens},
                        {"bf16", settings.bf16},
                        {"checkpoint_seconds", settings.checkpoint_seconds},
                        {"threads", settings.threads}};
}

json::value to_json(const JobSpec& spec) {
    return json::object{{"format", spec.format},
                        {"kind", spec.kind},
                        {"task", spec.task},
                        {"base_folder", spec.base_folder},
                        {"base_digest", spec.base_digest},
                        {"labels", to_array(spec.labels)},
                        {"lora", to_json(spec.lora)},
                        {"train", to_json(spec.train)}};
}

Result<LoraSettings> lora_settings_from_json(const json::value& value) {
    JsonFields fields(value, "the LoRA settings");
    LoraSettings s;
    s.rank = static_cast<int>(fields.optional_int("rank", s.rank, 1, 1024));
    s.alpha = fields.optional_number("alpha", s.alpha, 1e-6, 1e6);
    s.dropout = fields.optional_number("dropout", s.dropout, 0, 0.95);
    s.rank_stabilised = fields.optional_bool("rank_stabilised", s.rank_stabilised);
    s.targets = fields.optional_strings("targets");
    ROOTSTOCK_CHECKED(fields.finish());
    return s;
}

Result<TrainSettings> train_settings_from_json(const json::value& value) {
    JsonFields fields(value, "the training settings");
    TrainSettings s;
    s.epochs = static_cast<int>(fields.optional_int("epochs", s.epochs, 1, 10000));
    s.batch_examples = static_cast<int>(fields.optional_int("batch_examples", s.batch_examples, 1, 65536));
    s.learning_rate = fields.optional_number("learning_rate", s.learning_rate, 0, 10);
    s.head_learning_rate = fields.optional_number("head_learning_rate", s.head_learning_rate, 0, 10);
    s.weight_decay = fields.optional_number("weight_decay", s.weight_decay, 0, 10);
    s.warmup = fields.optional_number("warmup", s.warmup, 0, 1);
    s.clip_norm = fields.optional_number("clip_norm", s.clip_norm, 0, 1e9);
    s.label_smoothing = fields.optional_number("label_smoothing", s.label_smoothing, 0, 0.9);
    s.validation = fields.optional_number("validation", s.validation, 0, 0.9);
    s.patience = static_cast<int>(fields.optional_int("patience", s.patience, 1, 10000));
    s.seed = static_cast<std::uint64_t>(fields.optional_int("seed", static_cast<std::int64_t>(s.seed), 0, seed_max));
    s.max_tokens = static_cast<int>(fields.optional_int("max_tokens", s.max_tokens, 3, 1 << 20));
    s.bf16 = fields.optional_bool("bf16", s.bf16);
    s.checkpoint_seconds = fields.optional_number("checkpoint_seconds", s.checkpoint_seconds, 0, 1e9);
    s.threads = static_cast<int>(fields.optional_int("threads", s.threads, 0, 4096));
    ROOTSTOCK_CHECKED(fields.finish());
    return s;
}

Result<JobSpec> job_spec_from_json(const json::value& value) {
    JsonFields fields(value, "job.json");
    JobSpec spec;
    spec.format = static_cast<int>(fields.required_int("format", 1, 1));
    spec.kind = fields.required_string("kind");
    spec.task = fields.required_string("task");
    spec.base_folder = fields.required_string("base_folder");
    spec.base_digest = fields.required_string("base_digest");
    spec.labels = fields.optional_strings("labels");
    const auto* lora = fields.required_value("lora");
    const auto* train = fields.required_value("train");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(lora_settings, lora_settings_from_json(*lora));
    ROOTSTOCK_TRY(train_settings, train_settings_from_json(*train));
    spec.lora = lora_settings;
    spec.train = train_settings;
    return spec;
}

Result<void> write_job_spec(const std::filesystem::path& folder, const JobSpec& spec) {
    return write_file_atomically(folder / "job.json", json::serialize(to_json(spec)) + "\n");
}

Result<JobSpec> read_job_spec(const std::filesystem::path& folder) {
    ROOTSTOCK_TRY(text, read_file(folder / "job.json", std::size_t{64} << 20));
    ROOTSTOCK_TRY(value, parse_json(text, (folder / "job.json").string()));
    return job_spec_from_json(value);
}

}  // namespace rootstock
