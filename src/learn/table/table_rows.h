#pragma once
// The rows of a table job as the model reads them, and what they should give.

#include <vector>

#include "data/data.h"
#include "learn/job.h"

namespace rootstock {

struct TableJobRows {
    TableSchema schema;     // columns.json
    json::object config;    // config.json: the model to be made
    TransformerSpec spec;   // what it says
    EncodedTable train;     // train.jsonl
    EncodedTable held_out;  // valid.jsonl; may have no rows
    bool classes() const { return schema.label.kind == LabelKind::classes; }
    bool balanced = false;  // classes count the same, however rare
};

// Extends the job's digest by the three files more. corrupt, not_found: see read_table_rows and read_table_schema;
// invalid_argument: the label is not what the task needs, no row, a model that is not one for these columns.
Result<TableJobRows> load_table_rows(Job& job);

}  // namespace rootstock
