#include "data/reader/json_rows.h"

#include <algorithm>

namespace rootstock {
namespace {

constexpr std::size_t columns_max = 4096;

std::optional<std::string> as_field(const json::value& value) {
    if (value.is_null()) return std::nullopt;
    if (const auto* text = value.if_string()) return std::string(*text);
    return json::serialize(value);
}

}  // namespace

bool read_json_line(ByteSource& source, std::size_t bytes_max, JsonRow& row) {
    row.text.clear();
    row.fault.clear();
    row.line = source.line();
    if (source.peek() == ByteSource::end) return false;
    std::size_t bytes = 0;
    for (int byte = source.get(); byte != ByteSource::end && byte != '\n'; byte = source.get())
        if (++bytes <= bytes_max) row.text.push_back(static_cast<char>(byte));
    if (bytes > bytes_max)
        row.fault = "the row is larger than " + format_count(bytes_max) + " bytes; shorten or split its text";
    if (row.text.ends_with('\r')) row.text.pop_back();
    return true;
}

Result<void> fill_from_json(std::string_view line, std::vector<std::string>& columns, Record& record) {
    ROOTSTOCK_TRY(value, parse_json(line, "the line"));
    const auto* object = value.if_object();
    if (!object) return fail(ErrorCode::invalid_argument, "the line must be a JSON object");
    record.values.assign(columns.size(), std::nullopt);
    for (const auto& [name, member] : *object) {
        auto place = std::ranges::find(columns, std::string_view(name));
        if (place == columns.end()) {
            if (columns.size() == columns_max)
                return fail(ErrorCode::invalid_argument,
                            "the rows have more than " + std::to_string(columns_max) + " different members");
            columns.emplace_back(name);
            record.values.emplace_back();
            place = std::prev(columns.end());
        }
        record.values[static_cast<std::size_t>(place - columns.begin())] = as_field(member);
    }
    return {};
}

}  // namespace rootstock
