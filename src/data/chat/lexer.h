#pragma once
// A template's text cut into tokens, with white space at tags removed as the reference does it with trim_blocks
// (one line end after a block tag goes) and lstrip_blocks (blanks before a block tag at a line's start go), unless
// a sign says otherwise: {%- and -%} remove all white space on their side, {%+ and +%} keep it.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::chat {

struct Token {
    enum class Kind { data, print_begin, print_end, block_begin, block_end, name, string, integer, real, sign, end };
    Kind kind = Kind::end;
    std::string text;  // data and strings as meant, escapes resolved; the spelling of all others
    int line = 1;

    bool is_sign(std::string_view spelling) const { return kind == Kind::sign && text == spelling; }
    bool is_name(std::string_view spelling) const { return kind == Kind::name && text == spelling; }
};

// The last token is `end`. invalid_argument: a tag, string or bracket that is not closed, a stray character. The
// text must be valid UTF-8.
Result<std::vector<Token>> cut(std::string_view text);

// The sentence of a mistake in the template's text.
std::unexpected<Error> mistake(int line, std::string_view sentence);

}  // namespace rootstock::chat
