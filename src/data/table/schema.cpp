#include "data/table/table.h"

namespace rootstock {

const char* name(ColumnRole role) {
    switch (role) {
        case ColumnRole::numeric:
            return "numeric";
        case ColumnRole::categorical:
            return "categorical";
        case ColumnRole::date:
            return "date";
        case ColumnRole::left_out:
            return "left_out";
    }
    ROOTSTOCK_CHECK(false, "a ColumnRole outside its list");
}

std::vector<std::string> TableSchema::numeric_names() const {
    std::vector<std::string> names;
    for (const auto& column : columns) {
        if (column.role == ColumnRole::numeric) names.push_back(column.name);
        if (column.role != ColumnRole::date) continue;
        for (auto part : {"day", "weekday, sine", "weekday, cosine", "month, sine", "month, cosine"})
            names.push_back(column.name + ": " + part);
    }
    return names;
}

std::vector<std::string> TableSchema::categorical_names() const {
    std::vector<std::string> names;
    for (const auto& column : columns)
        if (column.role == ColumnRole::categorical) names.push_back(column.name);
    return names;
}

std::vector<std::int32_t> TableSchema::category_counts() const {
    std::vector<std::int32_t> counts;
    for (const auto& column : columns)
        if (column.role == ColumnRole::categorical)
            counts.push_back(first_category_id + static_cast<std::int32_t>(column.categories.size()));
    return counts;
}

std::string TableSchema::category_name(std::size_t place, std::int32_t id) const {
    for (const auto& column : columns) {
        if (column.role != ColumnRole::categorical || place-- > 0) continue;
        ROOTSTOCK_CHECK(id >= 0 && static_cast<std::size_t>(id) < column.categories.size() + 2, "an id of the column");
        if (id == missing_id) return "(missing)";
        if (id == unknown_id) return "(not seen in training)";
        return column.categories[static_cast<std::size_t>(id - first_category_id)];
    }
    ROOTSTOCK_CHECK(false, "a packed category of the schema");
}

}  // namespace rootstock
