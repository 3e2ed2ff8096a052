#include "learn/job_data.h"

#include <algorithm>

namespace rootstock {

namespace {

Result<void> check_task(const JobSpec& spec) {
    if (spec.kind != "finetune")
        return fail(ErrorCode::unsupported,
                    "job.json: kind \"" + spec.kind + "\" is unknown; this program does \"finetune\"", "kind");
    if (spec.task != "classify" && spec.task != "image")
        return fail(ErrorCode::unsupported,
                    "job.json: task \"" + spec.task + "\" is unknown; this program does \"classify\" and \"image\"",
                    "task");
    if (spec.labels.size() < 2)
        return fail(ErrorCode::invalid_argument,
                    "job.json: labels needs at least two names, otherwise there is nothing to tell apart", "labels");
    return {};
}

Result<void> check_base(const JobSpec& spec) {
    if (spec.base_digest.empty()) return {};
    ROOTSTOCK_TRY(digest, model_digest(spec.base_folder));
    if (digest == spec.base_digest) return {};
    return fail(ErrorCode::conflict, "the files in " + spec.base_folder + " have digest " + digest +
                                         ", but the job was made for " + spec.base_digest +
                                         ": pull the base model again or make a new job");
}

Result<void> tokenise(const Tokenizer& tokenizer, JobData& job) {
    EncodeOptions options;
    options.max_tokens = job.max_tokens;
    for (const auto& example : job.examples) {
        auto& ids = job.rows.emplace_back();
        auto full = tokenizer.encode_ids(example.text, options, ids);
        if (!full)
            return fail(full.error().code,
                        "train.jsonl, row " + std::to_string(example.row) + ": " + full.error().message);
        job.truncated += *full > ids.size();
    }
    return {};
}

Result<void> open_pictures(JobData& job) {
    const auto& patches = job.model.spec.patches;
    if (job.model.spec.inputs != Inputs::patches)
        return fail(ErrorCode::invalid_argument, "the base model reads no pictures, which task \"image\" needs",
                    "task");
    ROOTSTOCK_TRY(reader, PictureReader::open(job.spec.base_folder, patches.image, patches.channels));
    job.pictures = std::move(reader);
    job.rows.assign(job.examples.size(),
                    std::vector<std::int32_t>(static_cast<std::size_t>(job.model.spec.positions_max)));
    return {};
}

Result<void> prepare_rows(JobData& job) {
    if (job.spec.task == "image") return open_pictures(job);
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(job.spec.base_folder));
    return tokenise(tokenizer, job);
}

Result<void> split(JobData& job) {
    auto parts = split_stratified(job.examples, job.spec.train.validation, job.spec.train.seed);
    job.train = std::move(parts.train);
    job.held_out = std::move(parts.held_out);
    if (job.train.empty())
        return fail(ErrorCode::invalid_argument,
                    "train.jsonl: no row is left for training after holding out the validation share: "
                    "give more rows or a smaller train.validation");
    return {};
}

}  // namespace

std::int64_t JobData::tokens() const {
    std::int64_t sum = 0;
    for (auto index : train) sum += static_cast<std::int64_t>(rows[index].size());
    return sum;
}

Result<StagedBatch> JobData::stage(const SequenceClassifier& classifier, const std::vector<std::size_t>& chosen) const {
    if (!pictures) return classifier.stage(pack(rows, chosen));
    std::vector<float> pixels;
    for (auto index : chosen) ROOTSTOCK_CHECKED(pictures->read(examples[index].text, pixels));
    return classifier.stage_images(pixels);
}

std::vector<std::int64_t> JobData::labels(const std::vector<std::size_t>& chosen) const {
    std::vector<std::int64_t> labels;
    for (auto index : chosen) labels.push_back(examples[index].label);
    return labels;
}

Result<JobData> load_job(const std::filesystem::path& folder) {
    JobData job;
    job.folder = folder;
    ROOTSTOCK_TRY(spec, read_job_spec(folder));
    job.spec = std::move(spec);
    ROOTSTOCK_CHECKED(check_task(job.spec));
    ROOTSTOCK_CHECKED(check_base(job.spec));
    ROOTSTOCK_TRY(model, load_model(job.spec.base_folder));
    job.model = std::move(model);
    job.max_tokens = job.spec.task == "image" ? 0 : std::min(job.spec.train.max_tokens, job.model.spec.positions_max);
    ROOTSTOCK_TRY(rows, read_training_rows(folder / "train.jsonl", static_cast<std::int32_t>(job.spec.labels.size())));
    if (rows.empty()) return fail(ErrorCode::invalid_argument, "train.jsonl has no rows: a job needs examples");
    job.examples = std::move(rows);
    ROOTSTOCK_CHECKED(prepare_rows(job));
    ROOTSTOCK_CHECKED(split(job));
    ROOTSTOCK_TRY(rows_digest, sha256_file(folder / "train.jsonl"));
    job.digest = sha256_hex(json::serialize(to_json(job.spec)) + rows_digest);
    return job;
}

}  // namespace rootstock
