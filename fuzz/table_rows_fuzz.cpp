// data/table: the rows of a table job. What is read can be written and read again.

#include <cstdlib>

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::InputFile file(fuzz::as_text(data, size));
    auto table = read_table_rows(file.path());
    if (!table) return 0;
    const auto copy = fuzz::scratch_folder() / "rows.jsonl";
    if (!write_table_rows(copy, *table, all_rows(*table))) std::abort();
    auto again = read_table_rows(copy);
    if (!again || again->columns != table->columns || again->records.size() != table->records.size()) std::abort();
    for (std::size_t i = 0; i < table->records.size(); ++i)
        if (again->records[i].row != table->records[i].row || again->records[i].values != table->records[i].values)
            std::abort();
    return 0;
}
