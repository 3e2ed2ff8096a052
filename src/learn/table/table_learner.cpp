#include "learn/table/table_learner.h"

#include <algorithm>
#include <numeric>

#include "learn/table/fresh_weights.h"

namespace rootstock {

namespace {

constexpr std::size_t self_tests_max = 8;
constexpr std::size_t rows_at_once = 512;  // of an evaluation

// rows / (classes x rows of the class): each class weighs the same in all.
torch::Tensor balancing_weights(const TableJobRows& rows) {
    std::vector<float> weights(rows.schema.label.classes.size());
    for (std::size_t c = 0; c < weights.size(); ++c) {
        auto count = std::ranges::count(rows.train.classes, static_cast<std::int32_t>(c));
        if (count > 0)
            weights[c] = static_cast<float>(static_cast<double>(rows.train.rows) /
                                            (static_cast<double>(weights.size()) * static_cast<double>(count)));
    }
    return torch::tensor(weights);
}

torch::Tensor targets_of(const EncodedTable& rows, const std::vector<std::size_t>& chosen, bool classes) {
    if (!classes) {
        std::vector<float> targets;
        for (auto row : chosen) targets.push_back(rows.targets[row]);
        return torch::tensor(targets, torch::kFloat32);
    }
    std::vector<std::int64_t> targets;
    for (auto row : chosen) targets.push_back(rows.classes[row]);
    return torch::tensor(targets, torch::kInt64);
}

double variance_of(const std::vector<float>& targets) {
    const auto count = static_cast<double>(targets.size());
    const double mean = std::accumulate(targets.begin(), targets.end(), 0.0) / count;
    double sum = 0;
    for (float target : targets) sum += (target - mean) * (target - mean);
    return sum / count;
}

json::array numbers_json(const auto& values) {
    json::array numbers;
    for (auto value : values) numbers.emplace_back(static_cast<double>(value));
    return numbers;
}

}  // namespace

struct TableLearner::Answered {
    torch::Tensor loss;
    std::int64_t right = 0;  // of classes
};

Result<std::unique_ptr<Learner>> TableLearner::create(Job job) {
    ROOTSTOCK_TRY(rows, load_table_rows(job));
    auto fresh = fresh_table_model(rows.spec, job.spec.train.seed);
    ROOTSTOCK_TRY(model, HeadedModel::load(fresh, choose_placement(rows.spec, false), Tuning{{}, true, true}));
    return std::unique_ptr<Learner>(new TableLearner(std::move(job), std::move(rows), std::move(model)));
}

TableLearner::TableLearner(Job job, TableJobRows rows, std::unique_ptr<HeadedModel> model)
    : Learner(std::move(job)), rows_(std::move(rows)), model_(std::move(model)) {
    if (rows_.balanced && rows_.classes())
        class_weights_ = balancing_weights(rows_).to(model_->transformer().placement().device);
}

json::object TableLearner::facts() const {
    const auto& spec = model_->transformer().spec();
    return {{"tokens", rows_.train.rows * spec.columns.tokens()},
            {"truncated", 0},
            {"parameters", std::as_const(*model_).parameters().size()},
            {"labels", job().spec.labels.size()},
            {"device", model_->transformer().placement().description()}};
}

Result<TableLearner::Answered> TableLearner::answer(const EncodedTable& rows, const std::vector<std::size_t>& chosen,
                                                    const Dropout& dropout, bool learning) {
    ROOTSTOCK_TRY(staged, model_->stage_columns(pick_rows(rows, chosen)));
    auto logits = model_->logits(staged, dropout);
    auto targets = targets_of(rows, chosen, rows_.classes()).to(logits.device());
    if (!rows_.classes()) return Answered{number_loss(logits, targets), 0};
    auto smoothing = learning ? job().spec.train.label_smoothing : 0.0;
    auto loss = label_loss(logits, targets, smoothing, learning ? class_weights_ : torch::Tensor());
    return Answered{loss, logits.argmax(1).eq(targets).sum().item<std::int64_t>()};
}

Result<Lesson> TableLearner::learn(const std::vector<std::size_t>& rows, const Dropout& dropout) {
    Dropout whole = dropout;
    whole.probability = 0;  // there is no low-rank update
    whole.whole_model = true;
    ROOTSTOCK_TRY(answered, answer(rows_.train, rows, whole, true));
    answered.loss.backward();
    const auto loss = answered.loss.item<double>(), count = static_cast<double>(rows.size());
    const auto tokens = static_cast<std::int64_t>(rows.size()) * model_->transformer().spec().columns.tokens();
    // Of numbers the batch is measured against the scale of the label, whose variance is one.
    const double quality = rows_.classes() ? static_cast<double>(answered.right) / count : 1 - loss;
    return Lesson{loss, quality, count, tokens};
}

Result<Score> TableLearner::evaluate() {
    torch::NoGradGuard no_gradient;
    double loss = 0;
    std::int64_t right = 0;
    std::vector<std::size_t> chosen;
    for (std::size_t begin = 0; begin < held_out_rows(); begin += rows_at_once) {
        chosen.resize(std::min(rows_at_once, held_out_rows() - begin));
        std::iota(chosen.begin(), chosen.end(), begin);
        ROOTSTOCK_TRY(answered, answer(rows_.held_out, chosen, {}, false));
        loss += answered.loss.item<double>() * static_cast<double>(chosen.size());
        right += answered.right;
    }
    const auto count = static_cast<double>(held_out_rows());
    loss /= count;
    if (rows_.classes()) return Score{loss, static_cast<double>(right) / count};
    const double variance = variance_of(rows_.held_out.targets);
    return Score{loss, variance > 0 ? 1 - loss / variance : 0};
}

Model TableLearner::trained_model() const {
    std::map<std::string, HostTensor> tensors;
    for (const auto& entry : std::as_const(*model_).parameters().entries()) {
        auto values = entry.value.detach().cpu().contiguous();
        const auto count = static_cast<std::size_t>(values.numel());
        tensors.emplace(entry.shape.name, make_tensor(entry.shape.shape, {values.data_ptr<float>(), count}));
    }
    return Model{model_->transformer().spec(), Weights(std::move(tensors), {}), {}, {}};
}

// Rows from all over the held-out ones (or the training rows), and what the fp32 reference says of them.
Result<std::string> TableLearner::self_tests(const Model& model) const {
    const auto& from = rows_.held_out.rows > 0 ? rows_.held_out : rows_.train;
    ROOTSTOCK_TRY(reference, HeadedModel::load(model, reference_placement(), Tuning{{}, false, false}));
    torch::NoGradGuard no_gradient;
    json::array tests;
    const auto rows = static_cast<std::size_t>(from.rows), count = std::min(rows, self_tests_max);
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<std::size_t> chosen{i * rows / count};
        const auto row = pick_rows(from, chosen);
        ROOTSTOCK_TRY(staged, reference->stage_columns(row));
        auto logits = reference->logits(staged).contiguous();
        tests.push_back(json::object{
            {"numbers", numbers_json(row.numeric)},
            {"missing", numbers_json(row.numeric_missing)},
            {"categories", numbers_json(row.categories)},
            {"logits", numbers_json(std::span(logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel())))}});
    }
    return json::serialize(json::object{{"format", 1}, {"rows", std::move(tests)}}) + "\n";
}

Result<void> TableLearner::publish(const TrainingProgress& progress) {
    const auto model = trained_model();
    ROOTSTOCK_TRY(tests, self_tests(model));
    auto config = rows_.config;
    auto lineage = lineage_of(*this, progress);
    lineage.erase("lora");
    config["rootstock"] =
        json::object{{"task", job().spec.task}, {"balanced_classes", rows_.balanced}, {"lineage", std::move(lineage)}};
    return write_model_folder(
        in_files_spelling(model, std::move(config)),
        {{table_schema_file, table_schema_json(rows_.schema) + "\n"}, {"self-tests.json", std::move(tests)}},
        job().folder / "adapter", {Dtype::f32, false, std::uint64_t{5} << 30});
}

}  // namespace rootstock
