#include "data/dataset/column_choice.h"

#include <algorithm>
#include <unordered_set>

#include "data/reader/column_names.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

using Columns = std::vector<std::string>;
using Rank = std::optional<std::size_t> (*)(std::string_view);

std::string listed(const Columns& columns) {
    std::string list;
    for (const auto& column : columns) (list += list.empty() ? "'" : ", '") += column + "'";
    return list.empty() ? "none" : list;
}

// What the sample says about one column.
struct ColumnContent {
    double mean_length = 0;     // code points
    double distinct_share = 0;  // different values among those present
    std::size_t distinct = 0;
    std::size_t present = 0;
};

ColumnContent content_of(std::size_t column, std::span<const Record> sample) {
    ColumnContent content;
    std::unordered_set<std::string_view> values;
    std::size_t length = 0;
    for (const auto& record : sample) {
        if (column >= record.values.size() || !record.values[column]) continue;
        ++content.present;
        length += count_code_points(*record.values[column]);
        values.insert(*record.values[column]);
    }
    if (content.present == 0) return content;
    content.distinct = values.size();
    content.mean_length = static_cast<double>(length) / static_cast<double>(content.present);
    content.distinct_share = static_cast<double>(content.distinct) / static_cast<double>(content.present);
    return content;
}

Result<std::size_t> find_column(const Columns& columns, const std::string& wanted, std::string_view role) {
    auto place = std::ranges::find(columns, wanted);
    if (place != columns.end()) return static_cast<std::size_t>(place - columns.begin());
    return fail(ErrorCode::invalid_argument,
                fmt::format("there is no {} column '{}'; the file has the columns {}", role, wanted, listed(columns)),
                std::string(role));
}

std::optional<std::size_t> by_name(const Columns& columns, Rank rank, std::optional<std::size_t> taken) {
    std::optional<std::size_t> best, best_rank;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto own = rank(columns[i]);
        if (own && i != taken && (!best_rank || *own < *best_rank)) best = i, best_rank = own;
    }
    return best;
}

// The one column of long, mostly different values that is at least twice as long as any other such column.
std::optional<std::size_t> text_by_content(const Columns& columns, std::span<const Record> sample,
                                           std::optional<std::size_t> taken) {
    constexpr double shortest_text = 8, mostly_different = 0.4, clearly_longer = 2;
    std::optional<std::size_t> best;
    double longest = 0, second = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto content = content_of(i, sample);
        if (i == taken || content.mean_length < shortest_text || content.distinct_share < mostly_different) continue;
        second = std::max(second, std::min(longest, content.mean_length));
        if (content.mean_length > longest) longest = content.mean_length, best = i;
    }
    return longest >= clearly_longer * second ? best : std::nullopt;
}

// The one column, besides the text, whose few short values come again and again.
std::optional<std::size_t> label_by_content(const Columns& columns, std::span<const Record> sample, std::size_t text) {
    constexpr double longest_label = 60, seldom_different = 0.5;
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto content = content_of(i, sample);
        bool fits =
            content.distinct >= 2 && content.mean_length <= longest_label && content.distinct_share <= seldom_different;
        if (i == text || is_other_name(columns[i]) || !fits) continue;
        if (found) return std::nullopt;
        found = i;
    }
    if (!found && columns.size() == 2) return 1 - text;
    return found;
}

std::unexpected<Error> unsure(const Columns& columns, std::string_view role) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("cannot tell which column holds the {}; name it with --{}. The file has the columns {}",
                            role == "text" ? "texts" : "labels", role, listed(columns)),
                std::string(role));
}

}  // namespace

Result<ColumnChoice> choose_columns(const Columns& columns, std::span<const Record> sample,
                                    const std::string& wanted_text, const std::string& wanted_label) {
    std::optional<std::size_t> text, label;
    if (!wanted_text.empty()) {
        ROOTSTOCK_TRY(found, find_column(columns, wanted_text, "text"));
        text = found;
    }
    if (!wanted_label.empty()) {
        ROOTSTOCK_TRY(found, find_column(columns, wanted_label, "label"));
        label = found;
    }
    if (!text) text = by_name(columns, text_name_rank, label);
    if (!label) label = by_name(columns, label_name_rank, text);
    if (!text) text = text_by_content(columns, sample, label);
    if (!text) return unsure(columns, "text");
    if (!label) label = label_by_content(columns, sample, *text);
    if (!label) return unsure(columns, "label");
    if (*text == *label)
        return fail(ErrorCode::invalid_argument,
                    fmt::format("text and label are the same column '{}'; the file has the columns {}", columns[*text],
                                listed(columns)),
                    "label");
    return ColumnChoice{*text, *label};
}

}  // namespace rootstock
