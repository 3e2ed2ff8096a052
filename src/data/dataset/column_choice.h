#pragma once
// Which column holds the texts and which the labels.

#include <span>
#include <string>
#include <vector>

#include "data/reader/reader.h"

namespace rootstock {

struct ColumnChoice {
    std::size_t text = 0;
    std::size_t label = 0;
};

// `wanted_text` and `wanted_label` name columns, or are empty: then the name decides, else the content of `sample`.
// invalid_argument lists the columns found: no such column, or none that stands out.
Result<ColumnChoice> choose_columns(const std::vector<std::string>& columns, std::span<const Record> sample,
                                    const std::string& wanted_text, const std::string& wanted_label);

}  // namespace rootstock
