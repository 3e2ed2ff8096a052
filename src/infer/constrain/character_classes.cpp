#include <unicode/uset.h>
#include <unicode/ustring.h>

#include <cctype>

#include "infer/constrain/regex.h"

namespace rootstock::constrain {

CharacterSet unicode_set(std::string_view icu_pattern) {
    std::u16string pattern(icu_pattern.begin(), icu_pattern.end());  // ASCII
    UErrorCode code = U_ZERO_ERROR;
    USet* icu = uset_openPattern(pattern.data(), static_cast<std::int32_t>(pattern.size()), &code);
    CharacterSet set;
    for (std::int32_t i = 0; U_SUCCESS(code) && i < uset_getItemCount(icu); ++i) {
        UErrorCode item_code = U_ZERO_ERROR;
        UChar32 low = 0, high = 0;
        // Length 0: a range, not a string.
        if (uset_getItem(icu, i, &low, &high, nullptr, 0, &item_code) == 0) set.add(low, high);
    }
    uset_close(icu);
    return set;
}

CharacterClass class_of_letter(char letter) {
    static const CharacterClass digits{{{'0', '9'}}, unicode_set("[:N:]")};
    static const CharacterClass words{{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
                                      unicode_set("[[:L:][:N:][:M:][:Pc:][:Join_Control:]]")};
    static const CharacterClass spaces{{{'\t', '\r'}, {' ', ' '}},
                                       unicode_set("[[:White_Space:][\\u001c-\\u001f\\u180e\\ufeff]]")};
    const auto& found = std::tolower(letter) == 'd' ? digits : std::tolower(letter) == 'w' ? words : spaces;
    return std::isupper(static_cast<unsigned char>(letter)) ? found.opposite() : found;
}

}  // namespace rootstock::constrain
