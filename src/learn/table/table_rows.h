#pragma once
// The rows of a table job as the model reads them, and what they should give.

#include <vector>

#include "data/data.h"
#include "learn/job.h"

namespace rootstock {

struct TableJobRows {
    TableSchema schema;     // columns.json
    EncodedTable train;     // train.jsonl
    EncodedTable held_out;  // valid.jsonl; may have no rows
    bool classes() const { return schema.label.kind == LabelKind::classes; }
};

// Extends the job's digest by the two files more. corrupt, not_found: see read_table_rows and read_table_schema;
// invalid_argument: the label is not what the task needs, no row.
Result<TableJobRows> load_table_rows(Job& job);

}  // namespace rootstock
