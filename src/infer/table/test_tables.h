#pragma once
// Table models for tests: a folder with seeded random weights, as a job leaves it.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "infer/table/table_model.h"
#include "infer/tiny_test_model.h"
#include "model/model.h"

namespace rootstock::test_tables {

namespace fs = std::filesystem;

inline TableRows rows_of(std::vector<std::vector<std::optional<std::string>>> values,
                         std::vector<std::string> columns = {"size", "colour", "answer"}) {
    TableRows table;
    table.columns = std::move(columns);
    for (auto& cells : values) {
        const auto row = static_cast<std::int64_t>(table.records.size()) + 1;
        table.records.push_back({row, row + 1, std::move(cells)});
    }
    return table;
}

inline TableRows training_rows() {
    return rows_of(
        {{"1", "red", "5"}, {"2", "red", "7"}, {"4", "blue", "9"}, {"3", "blue", "12.5"}, {"8", "red", "1"}});
}

inline void make(const fs::path& folder, LabelKind kind, const json::object& changes = {}, std::uint64_t seed = 11) {
    TableOptions options;
    options.label = "answer";
    options.label_kind = kind;
    const auto table = training_rows();
    const auto schema = tiny::must(learn_table_schema(table, all_rows(table), options));
    const auto outputs = kind == LabelKind::classes ? schema.label.classes.size() : std::size_t{1};
    json::object config{{"model_type", "ft-transformer"},
                        {"n_cont_features", 1},
                        {"cat_cardinalities", json::array{4}},
                        {"n_blocks", 2},
                        {"d_block", 16},
                        {"attention_n_heads", 2},
                        {"d_out", outputs},
                        {"missing_embeddings", true}};
    for (const auto& change : changes) config[change.key()] = change.value();
    const auto spec = tiny::must(spec_of_config(config, "config.json"));
    SeededRandom random(seed);
    std::map<std::string, HostTensor> tensors;
    auto shapes = tensors_of(spec);
    for (const auto& shape : head_tensors_of(spec)) shapes.push_back(shape);
    for (const auto& shape : shapes) {
        std::size_t count = 1;
        for (const auto size : shape.shape) count *= static_cast<std::size_t>(size);
        tensors.emplace(shape.name, make_tensor(shape.shape, tiny::normals(random, count)));
    }
    const Model model{spec, Weights(std::move(tensors), {}), {}, {}};
    tiny::must(write_model_folder(in_files_spelling(model, config), {{table_schema_file, table_schema_json(schema)}},
                                  folder, {}));
}

// One row that says `off` more than the model of numbers does.
inline std::string self_test_of(const fs::path& folder, double off = 0) {
    Executor executor(tiny::must(NativeModel::load(tiny::must(load_model(folder)), {Precision::fp32, 1})));
    const ColumnBatch row{1, {0.5f}, {0}, {2}};
    const double logit = tiny::must(executor.logits(row)).values.front();
    return fmt::format(R"({{"format":1,"rows":[{{"numbers":[0.5],"missing":[0],"categories":[2],"logits":[{}]}}]}})",
                       logit + off);
}

inline void write_self_tests(const fs::path& folder, const std::string& text) {
    std::ofstream(folder / "self-tests.json") << text;
}

}  // namespace rootstock::test_tables
