#include "learn/chat/chat_learner.h"

#include <algorithm>

#include "learn/chat/chat_self_tests.h"

namespace rootstock {

namespace {

constexpr std::size_t part_tokens = 2048;  // activations of so many tokens are held at once

// The split of the job: rows held out by share and seed.
Result<RowSplit> split(const std::vector<TokenRow>& rows, const TrainSettings& settings) {
    auto parts = split_token_rows(rows, settings.validation, settings.seed);
    if (!parts.train.empty()) return parts;
    return fail(ErrorCode::invalid_argument,
                "train.jsonl: no row is left for training after holding out the validation share: give more rows or a "
                "smaller train.validation");
}

Result<std::vector<TokenRow>> load_rows(const Job& job, const TransformerSpec& spec) {
    ROOTSTOCK_TRY(rows, read_token_rows(job.folder / "train.jsonl", spec.vocabulary));
    if (rows.empty()) return fail(ErrorCode::invalid_argument, "train.jsonl has no rows: a job needs examples");
    for (const auto& row : rows)
        if (row.ids.size() > static_cast<std::size_t>(spec.positions_max))
            return fail(ErrorCode::too_long, "train.jsonl, row " + std::to_string(row.row) + " has " +
                                                 std::to_string(row.ids.size()) + " tokens, the model takes " +
                                                 std::to_string(spec.positions_max) + ": shorten it");
    return rows;
}

std::int64_t tokens_of(const std::vector<TokenRow>& rows, const std::vector<std::size_t>& chosen) {
    std::int64_t sum = 0;
    for (auto row : chosen) sum += static_cast<std::int64_t>(rows[row].ids.size());
    return sum;
}

std::int64_t learned_of(const std::vector<TokenRow>& rows, const std::vector<std::size_t>& chosen) {
    std::int64_t sum = 0;
    for (auto row : chosen) sum += std::ranges::count_if(rows[row].weights, [](float weight) { return weight > 0; });
    return sum;
}

double weight_of(const std::vector<TokenRow>& rows, const std::vector<std::size_t>& chosen) {
    double sum = 0;
    for (auto row : chosen) sum += rows[row].weight();
    return sum;
}

// Masks are a function of place and step; the parts of a step must not share theirs.
Dropout dropout_of(const Dropout& step, std::size_t part) {
    auto own = step;
    own.seed += 0x9E3779B97F4A7C15ull * static_cast<std::uint64_t>(part);
    return own;
}

}  // namespace

Result<std::unique_ptr<Learner>> ChatLearner::create(Job job) {
    if (job.spec.train.label_smoothing != 0)
        return fail(ErrorCode::invalid_argument,
                    "job.json: train.label_smoothing is for classification; give 0 for task \"chat\"",
                    "label_smoothing");
    ROOTSTOCK_TRY(model, load_base(job.spec));
    ROOTSTOCK_TRY(rows, load_rows(job, model.spec));
    ROOTSTOCK_TRY(parts, split(rows, job.spec.train));
    auto placement = choose_placement(model.spec, job.spec.train.bf16);
    ROOTSTOCK_TRY(language, LanguageModel::create(model, job.spec.lora, job.spec.train.seed, placement));
    model.weights.release_pages();
    return std::unique_ptr<Learner>(
        new ChatLearner(std::move(job), std::move(rows), std::move(parts), std::move(model), std::move(language)));
}

ChatLearner::ChatLearner(Job job, std::vector<TokenRow> rows, RowSplit split, Model model,
                         std::unique_ptr<LanguageModel> language)
    : Learner(std::move(job)),
      rows_(std::move(rows)),
      split_(std::move(split)),
      model_(std::move(model)),
      language_(std::move(language)) {}

json::object ChatLearner::facts() const {
    return {{"tokens", tokens_of(rows_, split_.train)},
            {"learned_tokens", learned_of(rows_, split_.train)},
            {"parameters", model_.weights.parameters()},
            {"device", language_->transformer().placement().description()}};
}

BatchPlan ChatLearner::parts_of(const std::vector<std::size_t>& rows) const {
    std::vector<std::int32_t> lengths;
    for (auto row : rows) lengths.push_back(static_cast<std::int32_t>(rows_[row].ids.size()));
    auto plan = plan_by_tokens(lengths, part_tokens);
    for (auto& part : plan)
        for (auto& place : part) place = rows[place];
    return plan;
}

Result<ChatLearner::Part> ChatLearner::part(const std::vector<std::size_t>& rows) const {
    PackedBatch batch;
    std::vector<float> weights;
    for (auto row : rows) {
        batch.add_row(rows_[row].ids);
        weights.insert(weights.end(), rows_[row].weights.begin(), rows_[row].weights.end());
    }
    ROOTSTOCK_TRY(staged, language_->stage(batch));
    return Part{std::move(staged), next_words(batch, weights, language_->device())};
}

Result<Lesson> ChatLearner::learn(const std::vector<std::size_t>& rows, const Dropout& dropout) {
    std::vector<std::size_t> chosen;
    for (auto row : rows) chosen.push_back(split_.train[row]);
    Lesson lesson{0, 0, weight_of(rows_, chosen), tokens_of(rows_, chosen)};
    std::size_t number = 0;
    for (const auto& some : parts_of(chosen)) {
        ROOTSTOCK_TRY(part, this->part(some));
        auto loss = language_->loss(part.batch, part.words, dropout_of(dropout, number++));
        auto mean = loss.sum / lesson.weight;
        mean.backward();
        lesson.loss += mean.item<double>();
        lesson.quality += loss.right / lesson.weight;
    }
    return lesson;
}

Result<Score> ChatLearner::evaluate() {
    torch::NoGradGuard no_gradient;
    const double weight = weight_of(rows_, split_.held_out);
    Score score;
    for (const auto& some : parts_of(split_.held_out)) {
        ROOTSTOCK_TRY(part, this->part(some));
        auto loss = language_->loss(part.batch, part.words);
        score.loss += loss.sum.item<double>() / weight;
        score.quality += loss.right / weight;
    }
    return score;
}

Result<void> ChatLearner::publish(const TrainingProgress& progress) {
    const auto& spec = job().spec;
    auto adapter = language_->to_adapter(spec.lora);
    adapter.task = spec.task;
    adapter.base_digest = spec.base_digest;
    adapter.base_name = std::filesystem::path(spec.base_folder).filename().string();
    adapter.lineage = lineage_of(*this, progress);
    const auto& from = split_.held_out.empty() ? split_.train : split_.held_out;
    ROOTSTOCK_TRY(self_tests, answer_chat_self_tests(model_, adapter, rows_, from));
    adapter.self_tests = std::move(self_tests);
    return save_adapter(job().folder / "adapter", adapter, model_.spec);
}

}  // namespace rootstock
