#include <algorithm>
#include <string_view>

#include "paper/paper.h"

namespace rootstock::paper {
namespace {

// "-5.00" is an amount; "-5+cmd" is not.
bool is_number(std::string_view cell) {
    if (!cell.empty() && cell.front() == '-') cell.remove_prefix(1);
    return !cell.empty() && cell.front() != '.' && cell.back() != '.' && std::ranges::count(cell, '.') <= 1 &&
           std::ranges::all_of(cell, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

std::string quoted(std::string cell) {
    constexpr std::string_view dangerous = "=+-@\t\r";
    if (!cell.empty() && dangerous.find(cell.front()) != std::string_view::npos && !is_number(cell))
        cell.insert(cell.begin(), '\'');
    if (cell.find_first_of(",\"\r\n'") == std::string::npos) return cell;
    std::string text = "\"";
    for (const char c : cell) text.append(c == '"' ? 2 : 1, c);
    return text + "\"";
}

}  // namespace

std::string csv(const std::vector<std::vector<std::string>>& rows) {
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) text.append(i == 0 ? "" : ",").append(quoted(row[i]));
        text += "\r\n";
    }
    return text;
}

}  // namespace rootstock::paper
