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

std::int64_t ClassifyRows::tokens() const {
    std::int64_t sum = 0;
    for (auto index : train) sum += static_cast<std::int64_t>(rows[index].size());
    return sum;
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
    rows.max_tokens = std::min(job.spec.train.max_tokens, spec.positions_max);
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(job.spec.base_folder));
    ROOTSTOCK_TRY(examples, read_training_rows(job.folder / "train.jsonl", static_cast<std::int32_t>(labels)));
    if (examples.empty()) return fail(ErrorCode::invalid_argument, "train.jsonl has no rows: a job needs examples");
    rows.examples = std::move(examples);
    ROOTSTOCK_CHECKED(tokenise(tokenizer, rows));
    ROOTSTOCK_CHECKED(split(job.spec.train, rows));
    return rows;
}

}  // namespace rootstock
