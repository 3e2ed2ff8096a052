#include "data/dataset/dataset.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "data/dataset/column_choice.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

constexpr std::size_t sample_rows = 500;
constexpr std::size_t sample_bytes = std::size_t{8} << 20;

// Turns records into examples; what cannot become one is kept as a problem.
class DatasetBuilder {
public:
    DatasetBuilder(const TextDatasetOptions& options, TextDataset& dataset) : options_(options), dataset_(dataset) {
        for (const auto& label : options.known_labels) label_id(label);
    }

    void choose(ColumnChoice columns) { columns_ = columns; }

    void add(Record& record) {
        auto& text = value(record, columns_.text);
        auto label = std::string(trim_white_space(value(record, columns_.label)));
        if (trim_white_space(text).empty())
            return keep_aside(record, dataset_.text_column, "the text is empty; fill it in or remove the row");
        if (label.empty())
            return keep_aside(record, dataset_.label_column, "the label is empty; fill it in or remove the row");
        auto found = ids_.find(label);
        if (found == ids_.end() && !options_.known_labels.empty())
            return keep_aside(record, dataset_.label_column,
                              fmt::format("the label '{}' is not one of the {} the model knows", label, ids_.size()));
        auto id = found != ids_.end() ? found->second : label_id(label);
        dataset_.examples.push_back({std::move(text), id, record.row});
    }

    // Labels in order of their bytes, whatever the order of the rows.
    void sort_labels() {
        if (!options_.known_labels.empty()) return;
        std::vector<std::int32_t> order(dataset_.labels.size()), new_id(order.size());
        std::iota(order.begin(), order.end(), 0);
        auto name = [&](std::int32_t id) -> const std::string& {
            return dataset_.labels[static_cast<std::size_t>(id)];
        };
        std::ranges::sort(order, {}, name);
        for (std::size_t i = 0; i < order.size(); ++i)
            new_id[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
        for (auto& example : dataset_.examples) example.label = new_id[static_cast<std::size_t>(example.label)];
        std::ranges::sort(dataset_.labels);
    }

private:
    static std::string& value(Record& record, std::size_t column) {
        static thread_local std::string none;
        none.clear();
        bool present = column < record.values.size() && record.values[column];
        return present ? *record.values[column] : none;
    }

    std::int32_t label_id(const std::string& label) {
        auto [place, fresh] = ids_.try_emplace(label, static_cast<std::int32_t>(dataset_.labels.size()));
        if (fresh) dataset_.labels.push_back(label);
        return place->second;
    }

    void keep_aside(const Record& record, const std::string& field, std::string reason) {
        dataset_.problems.push_back({record.row, record.line, field, std::move(reason)});
    }

    const TextDatasetOptions& options_;
    TextDataset& dataset_;
    ColumnChoice columns_;
    std::unordered_map<std::string, std::int32_t> ids_;
};

// The first rows, held back until the columns are chosen.
Result<std::vector<Record>> read_sample(RecordReader& reader, std::vector<Problem>& problems) {
    std::vector<Record> sample;
    std::size_t bytes = 0;
    Record record;
    Problem problem;
    while (sample.size() < sample_rows && bytes < sample_bytes) {
        ROOTSTOCK_TRY(reading, reader.next(record, problem));
        if (reading == Reading::end) break;
        if (reading == Reading::problem) {
            problems.push_back(problem);
            continue;
        }
        for (const auto& value : record.values) bytes += value ? value->size() : 0;
        sample.push_back(record);
    }
    return sample;
}

Result<void> read_rest(RecordReader& reader, DatasetBuilder& builder, std::vector<Problem>& problems) {
    Record record;
    Problem problem;
    while (true) {
        ROOTSTOCK_TRY(reading, reader.next(record, problem));
        if (reading == Reading::end) return {};
        if (reading == Reading::problem)
            problems.push_back(problem);
        else
            builder.add(record);
    }
}

std::string first_of(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 5;
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) (list += i > 0 ? ", '" : "'") += names[i] + "'";
    return names.size() > shown ? list + ", ..." : list;
}

void warn_of_rare_labels(TextDataset& dataset) {
    std::vector<std::int64_t> counts(dataset.labels.size());
    for (const auto& example : dataset.examples) ++counts[static_cast<std::size_t>(example.label)];
    std::vector<std::string> once;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] == 1) once.push_back(dataset.labels[i]);
    if (once.empty()) return;
    dataset.warnings.push_back(
        fmt::format("{} seen once only ({}), so it cannot be both learned and checked; it stays in training",
                    once.size() == 1 ? "one label is" : std::to_string(once.size()) + " labels are", first_of(once)));
}

void count_repeats(TextDataset& dataset) {
    std::unordered_map<std::string_view, std::vector<std::int32_t>> labels_of;
    std::int64_t contradictory = 0;
    for (const auto& example : dataset.examples) {
        auto& labels = labels_of[example.text];
        if (std::ranges::find(labels, example.label) != labels.end()) {
            ++dataset.duplicates;
            continue;
        }
        labels.push_back(example.label);
        contradictory += labels.size() == 2;
    }
    if (contradictory > 0)
        dataset.warnings.push_back(fmt::format("{} text{} stand{} under more than one label", contradictory,
                                               contradictory == 1 ? "" : "s", contradictory == 1 ? "s" : ""));
}

std::string as_sentence(const Problem& problem) {
    auto field = problem.field.empty() ? "" : ", " + problem.field;
    return fmt::format("row {} (line {}){}: {}", problem.row, problem.line, field, problem.reason);
}

Result<void> check_usable(const std::filesystem::path& path, const TextDataset& dataset, bool learning_labels) {
    if (dataset.rows == 0)
        return fail(ErrorCode::invalid_argument, path.string() + " has column names but no data rows");
    if (dataset.examples.empty())
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}: none of its {} rows can be used; the first is {}", path.string(),
                        format_count(static_cast<std::uint64_t>(dataset.rows)), as_sentence(dataset.problems[0])));
    if (!learning_labels) return {};
    if (dataset.labels.size() == 1)
        return fail(ErrorCode::invalid_argument,
                    fmt::format("{}: column '{}' holds one label only ('{}'); a classifier needs at least two",
                                path.string(), dataset.label_column, dataset.labels[0]),
                    "label");
    if (dataset.labels.size() == dataset.examples.size() && dataset.labels.size() > 2)
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}: column '{}' gives every row a label of its own; name the right column with --label",
                        path.string(), dataset.label_column),
            "label");
    return {};
}

}  // namespace

Result<TextDataset> read_labelled_texts(const std::filesystem::path& path, const TextDatasetOptions& options) {
    TextDataset dataset;
    ROOTSTOCK_TRY(reader, RecordReader::open(path, options.read));
    ROOTSTOCK_TRY(sample, read_sample(reader, dataset.problems));
    DatasetBuilder builder(options, dataset);
    if (!sample.empty()) {
        auto columns = choose_columns(reader.columns(), sample, options.text_column, options.label_column);
        if (!columns) {
            auto error = columns.error();
            error.message = path.string() + ": " + error.message;
            return fail(std::move(error));
        }
        builder.choose(*columns);
        dataset.text_column = reader.columns()[columns->text];
        dataset.label_column = reader.columns()[columns->label];
    }
    for (auto& record : sample) builder.add(record);
    if (!sample.empty()) ROOTSTOCK_CHECKED(read_rest(reader, builder, dataset.problems));
    std::ranges::stable_sort(dataset.problems, {}, &Problem::row);
    dataset.rows = reader.rows();
    ROOTSTOCK_CHECKED(check_usable(path, dataset, options.known_labels.empty()));
    builder.sort_labels();
    count_repeats(dataset);
    if (options.known_labels.empty()) warn_of_rare_labels(dataset);
    ROOTSTOCK_TRY(digest, sha256_file(path));
    dataset.digest = std::move(digest);
    return dataset;
}

}  // namespace rootstock
