#include "data/dataset/token_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "data/reader/byte_source.h"
#include "data/reader/json_rows.h"

namespace rootstock {
namespace {

constexpr std::size_t line_bytes_max = std::size_t{64} << 20;

json::array spans_of(const std::vector<float>& weights) {
    json::array spans;
    for (std::size_t begin = 0; begin < weights.size();) {
        auto end = begin;
        while (end < weights.size() && weights[end] == weights[begin]) ++end;
        if (weights[begin] > 0) spans.push_back(json::array{begin, end, static_cast<double>(weights[begin])});
        begin = end;
    }
    return spans;
}

void read_ids(const json::value* value, std::int32_t vocabulary, JsonFields& fields, std::vector<std::int32_t>& ids) {
    const auto* list = value ? value->if_array() : nullptr;
    if (value && (!list || list->size() < 2)) fields.fault("ids", "must be a list of at least two token ids");
    if (!list) return;
    for (const auto& item : *list) {
        const auto* id = item.if_int64();
        if (!id || *id < 0 || *id >= vocabulary) {
            fields.fault("ids", "must hold ids from 0 to " + std::to_string(vocabulary - 1));
            return;
        }
        ids.push_back(static_cast<std::int32_t>(*id));
    }
}

// [begin, end, weight]; false: it is none, or does not follow what was read.
bool read_span(const json::value& item, std::size_t& last, std::vector<float>& weights) {
    const auto* span = item.if_array();
    if (!span || span->size() != 3 || !(*span)[0].is_int64() || !(*span)[1].is_int64() || !(*span)[2].is_number())
        return false;
    const auto begin = (*span)[0].get_int64(), end = (*span)[1].get_int64();
    const auto weight = (*span)[2].to_number<double>();
    const auto size = static_cast<std::int64_t>(weights.size());
    if (begin < static_cast<std::int64_t>(last) || begin < 1 || end <= begin || end > size) return false;
    if (!(weight > 0 && weight <= 1)) return false;
    last = static_cast<std::size_t>(end);
    std::fill(weights.begin() + begin, weights.begin() + end, static_cast<float>(weight));
    return true;
}

void read_spans(const json::value* value, JsonFields& fields, std::vector<float>& weights) {
    const auto* list = value ? value->if_array() : nullptr;
    std::size_t last = 0;
    bool good = list && !list->empty();
    for (const auto& item : good ? *list : json::array{}) good = good && read_span(item, last, weights);
    if (value && !good) fields.fault("learn", "must be a list of [begin, end, weight] in order within the row");
}

}  // namespace

Result<void> write_token_rows(const std::filesystem::path& path, std::span<const TokenRow> rows) {
    std::string lines;
    for (const auto& row : rows) {
        json::object line{{"row", row.row}};
        if (!row.text.empty()) line["text"] = row.text;
        line["ids"] = json::array(row.ids.begin(), row.ids.end());
        line["learn"] = spans_of(row.weights);
        lines += json::serialize(line) + "\n";
    }
    return write_file_atomically(path, lines);
}

Result<TokenRow> read_token_row(std::string_view line, std::string_view where, std::int32_t vocabulary) {
    auto value = parse_json(line, where);
    if (!value) return fail(ErrorCode::corrupt, value.error().message);
    JsonFields fields(*value, where);
    TokenRow row;
    row.row = fields.required_int("row", 1, INT64_MAX);
    row.text = fields.optional_string("text", "");
    read_ids(fields.required_value("ids"), vocabulary, fields, row.ids);
    row.weights.assign(row.ids.size(), 0.0f);
    read_spans(fields.required_value("learn"), fields, row.weights);
    if (auto finished = fields.finish(); !finished) return fail(ErrorCode::corrupt, finished.error().message);
    return row;
}

Result<std::vector<TokenRow>> read_token_rows(const std::filesystem::path& path, std::int32_t vocabulary) {
    ROOTSTOCK_TRY(source, ByteSource::open(path));
    std::vector<TokenRow> rows;
    for (JsonRow line; read_json_line(source, line_bytes_max, line);) {
        auto where = fmt::format("{}, line {}", path.string(), line.line);
        if (!line.fault.empty()) return fail(ErrorCode::corrupt, where + ": " + line.fault);
        ROOTSTOCK_TRY(row, read_token_row(line.text, where, vocabulary));
        rows.push_back(std::move(row));
    }
    if (source.failed()) return fail(ErrorCode::io, "reading " + path.string() + " failed");
    return rows;
}

RowSplit split_token_rows(std::span<const TokenRow> rows, double share, std::uint64_t seed) {
    ROOTSTOCK_CHECK(share >= 0 && share <= 1, "a share lies between 0 and 1");
    std::map<std::span<const std::int32_t>, std::vector<std::size_t>,
             decltype([](auto left, auto right) { return std::ranges::lexicographical_compare(left, right); })>
        equal;
    for (std::size_t i = 0; i < rows.size(); ++i) equal[rows[i].ids].push_back(i);
    std::vector<std::vector<std::size_t>> groups;
    for (auto& [ids, group] : equal) groups.push_back(std::move(group));
    std::ranges::sort(groups);  // by place in the file
    SeededRandom random(seed);
    random.shuffle(groups);
    const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(rows.size())));
    RowSplit split;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const bool last = g + 1 == groups.size() && split.train.empty();  // something stays to learn from
        auto& side = !last && split.held_out.size() + groups[g].size() <= wanted ? split.held_out : split.train;
        side.insert(side.end(), groups[g].begin(), groups[g].end());
    }
    std::ranges::sort(split.train);
    std::ranges::sort(split.held_out);
    return split;
}

}  // namespace rootstock
