#include "data/chat/string_literal.h"

#include <charconv>

#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

constexpr std::string_view letters = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";

bool is_octal(char c) { return c >= '0' && c <= '7'; }

std::size_t digits_after(char letter) { return letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0; }

Result<void> append_code(std::string& made, std::string_view digits, std::size_t wanted) {
    std::uint32_t code = 0;
    auto end = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16).ptr;
    bool whole = digits.size() == wanted && end == digits.data() + digits.size();
    if (!whole || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return fail(ErrorCode::invalid_argument, "an escape in a string names no character; check its digits");
    append_utf8(made, static_cast<std::int32_t>(code));
    return {};
}

}  // namespace

Result<std::string> unescape(std::string_view text) {
    std::string made;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\' || at + 1 == text.size()) {
            made += text[at];
            continue;
        }
        char letter = text[++at];
        if (letter == '\n') continue;  // the string goes on in the next line
        if (auto place = letters.find(letter); place != std::string_view::npos)
            made += meanings[place];
        else if (auto wanted = digits_after(letter)) {
            ROOTSTOCK_CHECKED(append_code(made, text.substr(at + 1, wanted), wanted));
            at += wanted;
        } else if (is_octal(letter)) {
            std::int32_t code = 0;
            std::size_t end = at;
            while (end < text.size() && end < at + 3 && is_octal(text[end])) code = code * 8 + (text[end++] - '0');
            append_utf8(made, code);
            at = end - 1;
        } else
            made += '\\', made += letter;
    }
    return made;
}

}  // namespace rootstock::chat
