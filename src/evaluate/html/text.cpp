#include "evaluate/html/text.h"

#include "data/data.h"

namespace rootstock::html {
namespace {

std::string_view replacement_of(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return {};
    }
}

bool is_control(char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
}

void append_valid(std::string& out, std::string_view text) {
    for (char c : text) {
        auto replacement = replacement_of(c);
        if (!replacement.empty())
            out += replacement;
        else if (is_control(c))
            out += "\uFFFD";
        else
            out.push_back(c);
    }
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    while (true) {
        auto bad = find_invalid_utf8(text);
        append_valid(out, text.substr(0, bad));
        if (bad == std::string_view::npos) return out;
        out += "\uFFFD";
        text.remove_prefix(bad + 1);
    }
}

std::string label(std::string_view text) {
    std::string out;
    for (char c : escaped(text)) {
        out.push_back(c);
        if (c == '_' || c == '/') out += "<wbr>";
    }
    return out;
}

std::string both(std::string_view english, std::string_view chinese) {
    return fmt::format(R"(<span lang="en">{}</span><span lang="zh">{}</span>)", english, chinese);
}

std::string number(double value, int decimals) { return fmt::format("{:.{}f}", value, decimals); }
std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string count(std::int64_t value) { return format_count(static_cast<std::uint64_t>(value)); }

}  // namespace rootstock::html
