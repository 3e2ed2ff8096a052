#pragma once
// Writing systems as the reference library's UnicodeScripts pre-tokenizer counts them, frozen: kana and Han are one,
// and so are characters that its table gives to several. The table was read from the library.

#include <cstdint>

namespace rootstock {

constexpr std::int32_t any_script = -1;  // goes with everything (the space, characters the table does not know)

std::int32_t unicode_script(std::int32_t code_point);

}  // namespace rootstock
