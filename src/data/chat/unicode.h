#pragma once
// Text as Python sees it: counted in code points, with Python's idea of white space and letter case.

#include <cstdint>
#include <string>
#include <string_view>

namespace rootstock::chat {

bool is_python_space(std::int32_t code_point);  // str.isspace of one character; also \s of a pattern

std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
// Without any of the characters of `set` at the ends.
std::string_view strip_left(std::string_view text, std::string_view set);
std::string_view strip_right(std::string_view text, std::string_view set);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalized(std::string_view text);  // first character in title case, the rest in lower case
std::string titled(std::string_view text);       // str.title: every letter after a character without case

// The byte at which code point `index` begins; the text's size when there are fewer.
std::size_t byte_of(std::string_view text, std::size_t index);

}  // namespace rootstock::chat
