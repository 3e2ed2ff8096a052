#pragma once
// A table model as its folder keeps it (docs/formats/table-model.md): the transformer on the native executor and the
// schema that turns rows into what it reads. From rows of a file to scores.

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/data.h"
#include "native/native.h"

namespace rootstock {

// In the order of the rows.
struct TableScores {
    std::vector<float> probabilities;  // [rows, classes], of a model that tells classes apart
    std::vector<double> numbers;       // [rows], in the label's own unit, of a model that gives numbers
};

// One thread at a time, as its executor.
class TableModel {
public:
    // In fp32 by default: table models are small, and a number may need more digits than bf16 has.
    // Errors of load_model and read_table_schema; unsupported: not a table model, or one without head;
    // invalid_argument: the schema is not this model's.
    static Result<TableModel> load(const std::filesystem::path& folder, NativeOptions options = {Precision::fp32});

    const TableSchema& schema() const { return schema_; }
    bool gives_classes() const { return schema_.label.kind == LabelKind::classes; }
    std::string description() const { return model_->description(); }

    // Rows of a file: columns are found by name. Errors of encode_table.
    Result<EncodedTable> encode(const TableRows& rows, LabelUse use = LabelUse::ignore) const;
    Result<TableScores> score(const ColumnBatch& rows);

    // In parts, for who runs rows of several callers at once: what the head says of rows, and what that means.
    Result<Logits> logits(const ColumnBatch& rows);
    void add_score(std::span<const float> logits, TableScores& scores) const;
    bool fits(const ColumnBatch& rows) const;  // encoded with a schema of this shape
    std::size_t row_tokens() const;            // what the executor makes of one row
    std::size_t bytes() const;                 // memory held by its weights and its columns' vectors

    // Do the folder's self-tests say here what they said where the model was made? A sentence with the tolerance.
    // corrupt: there are none, or they are damaged; conflict: they differ.
    Result<std::string> check();

private:
    TableModel(std::filesystem::path folder, std::shared_ptr<const NativeModel> model, TableSchema schema);

    std::filesystem::path folder_;
    std::shared_ptr<const NativeModel> model_;
    TableSchema schema_;
    Executor executor_;
};

}  // namespace rootstock
