#include "infer/table/table_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "infer/residency/self_check.h"
#include "model/model.h"

namespace rootstock {
namespace {

constexpr std::size_t rows_at_once = 256;

Result<void> check_schema(const TableSchema& schema, const TransformerSpec& spec, const std::filesystem::path& folder) {
    const auto classes = schema.label.kind == LabelKind::classes ? schema.label.classes.size() : std::size_t{1};
    const auto counts = schema.category_counts();
    if (schema.numeric_names().size() == static_cast<std::size_t>(spec.columns.numbers) &&
        std::ranges::equal(counts, spec.columns.categories) && schema.label.kind != LabelKind::none &&
        classes == static_cast<std::size_t>(spec.head.classes))
        return {};
    return fail(ErrorCode::invalid_argument, folder.string() + ": " + table_schema_file +
                                                 " and config.json do not name the same columns and classes; the two "
                                                 "files are not of one model");
}

void softmax_into(std::span<const float> logits, std::vector<float>& probabilities) {
    const float largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit - largest));
    for (const float logit : logits)
        probabilities.push_back(static_cast<float>(std::exp(static_cast<double>(logit - largest)) / sum));
}

// ---- self-tests.json

struct RecordedRows {
    ColumnBatch rows;
    std::vector<std::vector<float>> logits;
};

Result<std::vector<float>> floats_of(const json::value* value, std::size_t count, const std::string& where) {
    std::vector<float> floats;
    if (value && value->is_array() && value->as_array().size() == count)
        for (const auto& number : value->as_array())
            if (number.is_number()) floats.push_back(static_cast<float>(number.to_number<double>()));
    if (floats.size() == count) return floats;
    return fail(ErrorCode::corrupt, where + ": a list of " + std::to_string(count) + " numbers is missing");
}

Result<void> add_row(const json::value& value, const TransformerSpec& spec, const std::string& where,
                     RecordedRows& recorded) {
    JsonFields fields(value, where);
    const auto *numbers = fields.required_value("numbers"), *missing = fields.required_value("missing"),
               *categories = fields.required_value("categories"), *logits = fields.required_value("logits");
    if (auto finished = fields.finish(); !finished) return fail(ErrorCode::corrupt, finished.error().message);
    const auto count = static_cast<std::size_t>(spec.columns.numbers);
    ROOTSTOCK_TRY(own_numbers, floats_of(numbers, count, where));
    ROOTSTOCK_TRY(own_missing, floats_of(missing, count, where));
    ROOTSTOCK_TRY(own_categories, floats_of(categories, spec.columns.categories.size(), where));
    ROOTSTOCK_TRY(own_logits, floats_of(logits, static_cast<std::size_t>(spec.head.classes), where));
    auto& rows = recorded.rows;
    rows.numeric.insert(rows.numeric.end(), own_numbers.begin(), own_numbers.end());
    for (const float mark : own_missing) rows.numeric_missing.push_back(mark != 0);
    for (const float id : own_categories) rows.categories.push_back(static_cast<std::int32_t>(id));
    recorded.logits.push_back(std::move(own_logits));
    ++rows.rows;
    return {};
}

Result<RecordedRows> read_self_tests(const std::filesystem::path& folder, const TransformerSpec& spec) {
    const auto path = folder / "self-tests.json";
    auto text = read_file(path, std::size_t{64} << 20);
    if (!text) return fail(ErrorCode::corrupt, text.error().message + ": nothing proves that the model fits");
    ROOTSTOCK_TRY(value, parse_json(*text, path.string()));
    JsonFields fields(value, path.string());
    fields.required_int("format", 1, 1);
    const auto* rows = fields.required_value("rows");
    if (auto finished = fields.finish(); !finished) return fail(ErrorCode::corrupt, finished.error().message);
    if (!rows->is_array() || rows->as_array().empty()) return fail(ErrorCode::corrupt, path.string() + " has no rows");
    RecordedRows recorded;
    for (const auto& row : rows->as_array())
        ROOTSTOCK_CHECKED(
            add_row(row, spec, path.string() + ", row " + std::to_string(recorded.rows.rows + 1), recorded));
    return recorded;
}

// The largest deviation in shares of what is allowed.
double worst_deviation(const Logits& found, const std::vector<std::vector<float>>& recorded,
                       const SelfTestTolerance& tolerance) {
    double worst = 0;
    for (std::size_t row = 0; row < recorded.size(); ++row) {
        double largest = 0;
        for (const float logit : recorded[row]) largest = std::max(largest, std::abs(static_cast<double>(logit)));
        for (std::size_t c = 0; c < recorded[row].size(); ++c) {
            const double off = std::abs(static_cast<double>(found.row(row)[c]) - static_cast<double>(recorded[row][c]));
            worst = std::max(worst, off / (tolerance.absolute + tolerance.relative * largest));
        }
    }
    return worst;
}

}  // namespace

TableModel::TableModel(std::filesystem::path folder, std::shared_ptr<const NativeModel> model, TableSchema schema)
    : folder_(std::move(folder)), model_(std::move(model)), schema_(std::move(schema)), executor_(model_) {}

Result<TableModel> TableModel::load(const std::filesystem::path& folder, NativeOptions options) {
    ROOTSTOCK_TRY(files, load_model(folder));
    if (files.spec.inputs != Inputs::columns || files.spec.head.kind != HeadKind::sequence)
        return fail(ErrorCode::unsupported, folder.string() + " holds no table model that gives scores");
    ROOTSTOCK_TRY(schema, read_table_schema(folder));
    ROOTSTOCK_CHECKED(check_schema(schema, files.spec, folder));
    ROOTSTOCK_TRY(model, NativeModel::load(files, options));
    return TableModel(folder, std::move(model), std::move(schema));
}

Result<EncodedTable> TableModel::encode(const TableRows& rows, LabelUse use) const {
    return encode_table(schema_, rows, all_rows(rows), use);
}

Result<TableScores> TableModel::score(const ColumnBatch& rows) {
    TableScores scores;
    std::vector<std::size_t> chosen;
    for (std::size_t begin = 0; begin < static_cast<std::size_t>(rows.rows); begin += rows_at_once) {
        chosen.resize(std::min(rows_at_once, static_cast<std::size_t>(rows.rows) - begin));
        std::iota(chosen.begin(), chosen.end(), begin);
        ROOTSTOCK_TRY(said, logits(pick_rows(rows, chosen)));
        for (std::size_t row = 0; row < chosen.size(); ++row) add_score(said.row(row), scores);
    }
    return scores;
}

Result<Logits> TableModel::logits(const ColumnBatch& rows) { return executor_.logits(rows); }

void TableModel::add_score(std::span<const float> logits, TableScores& scores) const {
    if (gives_classes())
        softmax_into(logits, scores.probabilities);
    else
        scores.numbers.push_back(schema_.label.scaling.undo(static_cast<double>(logits[0])));
}

bool TableModel::fits(const ColumnBatch& rows) const {
    const auto& columns = model_->spec().columns;
    const auto count = static_cast<std::size_t>(rows.rows);
    const auto numbers = count * static_cast<std::size_t>(columns.numbers);
    return rows.numeric.size() == numbers && rows.numeric_missing.size() == numbers &&
           rows.categories.size() == count * columns.categories.size();
}

std::size_t TableModel::row_tokens() const {
    const auto& columns = model_->spec().columns;
    return 1 + static_cast<std::size_t>(columns.numbers) + columns.categories.size();
}

std::size_t TableModel::bytes() const {
    const auto& spec = model_->spec();
    const auto categories =
        std::accumulate(spec.columns.categories.begin(), spec.columns.categories.end(), std::size_t{0},
                        [](std::size_t sum, std::int32_t count) { return sum + static_cast<std::size_t>(count); });
    const auto vectors = 2 * static_cast<std::size_t>(spec.columns.numbers) + categories;
    return model_->packed_bytes() + vectors * static_cast<std::size_t>(spec.width) * sizeof(float);
}

Result<std::string> TableModel::check() {
    ROOTSTOCK_TRY(recorded, read_self_tests(folder_, model_->spec()));
    ROOTSTOCK_TRY(logits, executor_.logits(recorded.rows));
    const auto tolerance = self_test_tolerance(model_->precision());
    const double worst = worst_deviation(logits, recorded.logits, tolerance);
    if (!(worst <= 1))
        return fail(ErrorCode::conflict, fmt::format("the model does not say here what it said where it was made: a "
                                                     "self-test is off by {:.3g} times what is allowed",
                                                     worst));
    return fmt::format("{} self-tests agree with the learner within {:g} + {:g} % of the largest logit",
                       recorded.logits.size(), tolerance.absolute, 100 * tolerance.relative);
}

}  // namespace rootstock
