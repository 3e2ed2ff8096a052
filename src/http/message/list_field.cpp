#include "http/message/list_field.h"

#include <algorithm>

namespace rootstock::http {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
    });
}

std::vector<std::string_view> members_of(std::string_view list) {
    std::vector<std::string_view> members;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (auto member = trimmed(list.substr(0, comma)); !member.empty()) members.push_back(member);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return members;
}

}  // namespace rootstock::http
