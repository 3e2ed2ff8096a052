#include "app/routes/cursor.h"

#include <algorithm>

#include "app/routes/base64.h"

namespace rootstock {
namespace {

constexpr std::size_t cursor_max = 512;

}  // namespace

std::string cursor_of(std::string_view last) {
    std::string text;
    append_base64(text, last);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text.substr(0, text.find('='));
}

std::optional<std::string> read_cursor(std::string_view text) {
    if (text.empty() || text.size() > cursor_max) return std::nullopt;
    if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
    std::string padded(text);
    std::ranges::replace(padded, '-', '+');
    std::ranges::replace(padded, '_', '/');
    padded.append((4 - padded.size() % 4) % 4, '=');
    auto last = read_base64(padded);
    if (!last || std::ranges::any_of(*last, [](char c) { return c < ' ' || c > '~'; })) return std::nullopt;
    return last;
}

}  // namespace rootstock
