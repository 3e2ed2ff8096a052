#include "learn/classify/classify_rows.h"

#include <algorithm>

namespace rootstock {

namespace {

Result<void> tokenise(const Tokenizer& tokenizer, ClassifyRows& rows) {
    EncodeOptions options;
    options.max_tokens = rows.max_tokens;
    for (const auto& example : rows.examples) {
        auto& ids = rows.rows.emplace_back();
        auto full = tokenizer.encode_ids(example.text, options, ids);
        if (!full)
            return fail(full.error().code,
                        "train.jsonl, row " + std::to_string(example.row) + ": " + full.error().message);
        rows.truncated += *full > ids.size();
    }
    return {};
}

Result<void> open_pictures(const Job& job, const TransformerSpec& spec, ClassifyRows& rows) {
    if (spec.inputs != Inputs::patches)
        return fail(ErrorCode::invalid_argument, "the base model reads no pictures, which task \"image\" needs",
                    "task");
    ROOTSTOCK_TRY(reader, PictureReader::open(job.spec.base_folder, spec.patches.image, spec.patches.channels));
    rows.pictures = std::move(reader);
    rows.rows.assign(rows.examples.size(), std::vector<std::int32_t>(static_cast<std::size_t>(spec.positions_max)));
    return {};
}

Result<void> prepare_rows(const Job& job, const TransformerSpec& spec, ClassifyRows& rows) {
    if (job.spec.task == "image") return open_pictures(job, spec, rows);
    rows.max_tokens = std::min(job.spec.train.max_tokens, spec.positions_max);
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(job.spec.base_folder));
    return tokenise(tokenizer, rows);
}

Result<void> split(const TrainSettings& settings, ClassifyRows& rows) {
    auto parts = split_stratified(rows.examples, settings.validation, settings.seed);
    rows.train = std::move(parts.train);
    rows.held_out = std::move(parts.held_out);
    if (rows.train.empty())
        return fail(ErrorCode::invalid_argument,
                    "train.jsonl: no row is left for training after holding out the validation share: "
                    "give more rows or a smaller train.validation");
    return {};
}

}  // namespace

std::int64_t ClassifyRows::tokens() const { return tokens_of(train); }

std::int64_t ClassifyRows::tokens_of(const std::vector<std::size_t>& chosen) const {
    std::int64_t sum = 0;
    for (auto index : chosen) sum += static_cast<std::int64_t>(rows[index].size());
    return sum;
}

Result<StagedBatch> ClassifyRows::stage(const SequenceClassifier& classifier,
                                        const std::vector<std::size_t>& chosen) const {
    if (!pictures) return classifier.stage(pack(rows, chosen));
    std::vector<float> pixels;
    for (auto index : chosen) ROOTSTOCK_CHECKED(pictures->read(examples[index].text, pixels));
    return classifier.stage_images(pixels);
}

std::vector<std::int64_t> ClassifyRows::labels(const std::vector<std::size_t>& chosen) const {
    std::vector<std::int64_t> labels;
    for (auto index : chosen) labels.push_back(examples[index].label);
    return labels;
}

Result<ClassifyRows> load_classify_rows(const Job& job, const TransformerSpec& spec) {
    const auto labels = job.spec.labels.size();
    if (labels < 2)
        return fail(ErrorCode::invalid_argument,
                    "job.json: labels needs at least two names, otherwise there is nothing to tell apart", "labels");
    ClassifyRows rows;
    ROOTSTOCK_TRY(examples, read_training_rows(job.folder / "train.jsonl", static_cast<std::int32_t>(labels)));
    if (examples.empty()) return fail(ErrorCode::invalid_argument, "train.jsonl has no rows: a job needs examples");
    rows.examples = std::move(examples);
    ROOTSTOCK_CHECKED(prepare_rows(job, spec, rows));
    ROOTSTOCK_CHECKED(split(job.spec.train, rows));
    return rows;
}

}  // namespace rootstock
