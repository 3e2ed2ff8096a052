#pragma once
// The table transformer that a job makes (FT-Transformer, Gorishniy et al., 2021): its shape and its dropouts.

#include "base/base.h"
#include "data/data.h"

namespace rootstock {

struct TableSettings {
    int blocks = 2;
    int width = 128;  // of a column's token; a multiple of heads
    int heads = 8;
    double inner = 4.0 / 3;  // of the MLP, times width
    double attention_dropout = 0.15;
    double inner_dropout = 0.05;    // behind the MLP's activation
    double hidden_dropout = 0;      // on what every sub-layer adds
    bool balanced_classes = false;  // classes count the same, however rare
};

json::value to_json(const TableSettings& settings);

// Refuses unknown fields and values out of range, naming them.
Result<TableSettings> table_settings_from_json(const json::value& value);

// config.json of the model to be (docs/formats/table-model.md). `missing`: rows to learn from lack numbers.
json::object table_config(const TableSettings& settings, const TableSchema& schema, bool missing);

}  // namespace rootstock
