#include "data/tokenizer/unicode_forms.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <algorithm>

#include "data/text/utf8.h"
#include "data/tokenizer/rewriting.h"

namespace rootstock {
namespace {

const UNormalizer2* instance(bool compatible) {
    auto get = [](auto* find) {
        UErrorCode code = U_ZERO_ERROR;
        const auto* found = find(&code);
        ROOTSTOCK_CHECK(U_SUCCESS(code), "ICU delivers its normalisation tables");
        return found;
    };
    static const auto* canonical_tables = get(&unorm2_getNFCInstance);
    static const auto* compatible_tables = get(&unorm2_getNFKCInstance);
    return compatible ? compatible_tables : canonical_tables;
}

std::uint8_t combining_class(std::int32_t c) {
    auto own = u_getCombiningClass(c);
    return own != 0 && known_to_reference(c) ? own : 0;
}

std::int32_t composed(std::int32_t first, std::int32_t second) {
    auto pair = unorm2_composePair(instance(false), first, second);
    return pair >= 0 && known_to_reference(pair) ? pair : -1;
}

// The decomposed text, marks in canonical order (Unicode Standard, D109).
std::vector<Rewritten> decomposed(std::string_view text, bool compatible) {
    std::vector<Rewritten> out;
    std::size_t pending = 0;  // marks from here on wait for their order
    auto sort = [&] {
        std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(pending), out.end(),
                         [](const Rewritten& a, const Rewritten& b) {
                             return combining_class(a.code_point) < combining_class(b.code_point);
                         });
    };
    auto push = [&](std::int32_t c, std::int32_t change) {
        if (combining_class(c) == 0) {
            sort();
            out.push_back({c, change});
            pending = out.size();
        } else {
            out.push_back({c, change});
        }
    };
    const auto* tables = instance(compatible);
    for (std::size_t at = 0; at < text.size();) {
        auto decoded = decode_utf8(text.substr(at));
        at += decoded.length;
        UChar units[32];
        UErrorCode code = U_ZERO_ERROR;
        auto length =
            decoded.code_point < 0x80 ? -1 : unorm2_getDecomposition(tables, decoded.code_point, units, 32, &code);
        if (length < 0 || U_FAILURE(code) || !known_to_reference(decoded.code_point)) {
            push(decoded.code_point, 0);
            continue;
        }
        for (std::int32_t i = 0; i < length;) {
            bool first = i == 0;
            UChar32 next;
            U16_NEXT(units, i, length, next);
            push(next, first ? 0 : 1);
        }
    }
    sort();
    return out;
}

// Composes in canonical order (D117), with the reference's bookkeeping of what was swallowed.
std::vector<Rewritten> recomposed(const std::vector<Rewritten>& in) {
    std::vector<Rewritten> out;
    std::optional<Rewritten> base;
    std::vector<Rewritten> marks;  // that stay behind the base
    int last_class = -1;           // of the last of them
    auto purge = [&] {
        out.insert(out.end(), marks.begin(), marks.end());
        marks.clear();
        last_class = -1;
    };
    for (const auto& one : in) {
        auto its_class = combining_class(one.code_point);
        if (!base) {
            if (its_class != 0)
                out.push_back(one);
            else
                base = one;
            continue;
        }
        bool blocked = last_class >= 0 && last_class >= its_class;
        if (!blocked)
            if (auto pair = composed(base->code_point, one.code_point); pair >= 0) {
                base = Rewritten{pair, base->change + one.change - 1};
                continue;
            }
        if (its_class == 0) {
            out.push_back(*base);
            purge();
            base = one;
            continue;
        }
        marks.push_back(one);
        last_class = its_class;
    }
    if (base) out.push_back(*base);
    purge();
    return out;
}

}  // namespace

bool known_to_reference(std::int32_t code_point) {
    constexpr std::uint8_t unicode_of_reference = 9;
    UVersionInfo born;
    u_charAge(code_point, born);
    return born[0] <= unicode_of_reference;
}

// Sure, not complete: every character says it may stand in this form as it is.
bool UnicodeFormNormalizer::unchanged(std::string_view text) const {
    constexpr UProperty checks[] = {UCHAR_NFC_QUICK_CHECK, UCHAR_NFD_QUICK_CHECK, UCHAR_NFKC_QUICK_CHECK,
                                    UCHAR_NFKD_QUICK_CHECK};
    auto check = checks[static_cast<std::size_t>(form_)];
    for (std::size_t at = 0; at < text.size();) {
        if (is_ascii(text[at])) {
            ++at;
            continue;
        }
        auto decoded = decode_utf8(text.substr(at));
        if (u_getIntPropertyValue(decoded.code_point, check) != UNORM_YES || u_getCombiningClass(decoded.code_point))
            return false;
        at += decoded.length;
    }
    return true;
}

void UnicodeFormNormalizer::normalize(TextView in, TextBuffer& out) const {
    if (unchanged(in.bytes)) return append_part(in, 0, in.bytes.size(), out);
    auto characters = decomposed(in.bytes, form_ == UnicodeForm::nfkc || form_ == UnicodeForm::nfkd);
    if (form_ == UnicodeForm::nfc || form_ == UnicodeForm::nfkc) characters = recomposed(characters);
    rewrite_text(in, characters, out);
}

}  // namespace rootstock
