// data/table: columns.json of a table model. What is read can be written and read again, and encodes a row.

#include <cstdlib>

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto schema = parse_table_schema(fuzz::as_text(data, size), "columns.json");
    if (!schema) return 0;
    auto again = parse_table_schema(table_schema_json(*schema), "columns.json");
    if (!again || !(*again == *schema)) std::abort();
    TableRows table;
    Record record{1, 2, {}};
    for (const auto& column : schema->columns) {
        table.columns.push_back(column.name);
        record.values.emplace_back(column.categories.empty() ? "2024-02-29" : column.categories.back());
    }
    table.records.push_back(std::move(record));
    auto encoded = encode_table(*schema, table, all_rows(table), LabelUse::ignore);
    if (!encoded || encoded->numeric.size() != schema->numeric_names().size() ||
        encoded->categories.size() != schema->category_counts().size())
        std::abort();
    for (std::size_t i = 0; i < encoded->categories.size(); ++i)
        fuzz::use(schema->category_name(i, encoded->categories[i]).size());
    return 0;
}
