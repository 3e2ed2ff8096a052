#include "data/tokenizer/bert_normalizer.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "data/text/bert_classes.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

const UNormalizer2* nfd() {
    static const UNormalizer2* instance = [] {
        UErrorCode code = U_ZERO_ERROR;
        const auto* found = unorm2_getNFDInstance(&code);
        ROOTSTOCK_CHECK(U_SUCCESS(code), "ICU delivers its NFD tables");
        return found;
    }();
    return instance;
}

// The reference decomposes as Unicode 12 did: characters born later stay whole.
bool known_to_reference(std::int32_t code_point) {
    constexpr std::uint8_t unicode_of_reference = 12;
    UVersionInfo born;
    u_charAge(code_point, born);
    return born[0] <= unicode_of_reference;
}

// Appends one code point, all of its bytes from the same place.
void put(std::int32_t code_point, CharSpan origin, bool tracked, TextBuffer& out) {
    append_utf8(out.bytes, code_point);
    if (tracked) out.origin.resize(out.bytes.size(), origin);
}

// The last code point of out, which is not empty, and where it begins.
std::pair<std::int32_t, std::size_t> last_of(const std::string& bytes, std::size_t end) {
    auto begin = end - 1;
    while (begin > 0 && is_continuation_byte(bytes[begin])) --begin;
    return {decode_utf8(std::string_view(bytes).substr(begin)).code_point, begin};
}

// Canonical order (Unicode Standard, D109): a mark moves left past marks of a higher class. Marks that remain after
// accents are stripped are rare, so they are moved one by one where they stand.
void put_in_order(std::int32_t code_point, CharSpan origin, bool tracked, TextBuffer& out) {
    auto own_class = u_getCombiningClass(code_point);
    if (own_class == 0) return put(code_point, origin, tracked, out);
    auto place = out.bytes.size();
    while (place > 0) {
        auto [before, begin] = last_of(out.bytes, place);
        if (u_getCombiningClass(before) <= own_class) break;
        place = begin;
    }
    std::string encoded;
    append_utf8(encoded, code_point);
    out.bytes.insert(place, encoded);
    if (tracked) out.origin.insert(out.origin.begin() + static_cast<std::ptrdiff_t>(place), encoded.size(), origin);
}

}  // namespace

BertNormalizer::BertNormalizer(BertNormalizerOptions options)
    : options_(options), strip_accents_(options.strip_accents.value_or(options.lowercase)) {
    for (std::int32_t c = 0; c < 128; ++c) {
        auto at = static_cast<std::size_t>(c);
        auto flags = bert_class(c);
        kept_[at] = !options_.clean_text || !(flags & bert_removed);
        auto lower = options_.lowercase ? u_tolower(c) : c;
        bool space = options_.clean_text && (flags & bert_white_space);
        ascii_[at] = space ? ' ' : static_cast<char>(lower);
    }
}

void BertNormalizer::normalize(TextView in, TextBuffer& out) const {
    bool tracked = !in.origin.empty();
    for (std::size_t at = 0; at < in.bytes.size();) {
        if (is_ascii(in.bytes[at])) {
            at = ascii_run(in, at, out);
            continue;
        }
        auto decoded = decode_utf8(in.bytes.substr(at));
        other(decoded.code_point, tracked ? in.origin[at] : CharSpan{}, tracked, out);
        at += decoded.length;
    }
}

std::size_t BertNormalizer::ascii_run(TextView in, std::size_t at, TextBuffer& out) const {
    auto end = at;
    while (end < in.bytes.size() && is_ascii(in.bytes[end])) ++end;
    auto begin = out.bytes.size();
    out.bytes.resize(begin + (end - at));
    char* write = out.bytes.data() + begin;
    for (auto i = at; i < end; ++i) {
        auto c = static_cast<unsigned char>(in.bytes[i]);
        *write = ascii_[c];
        write += kept_[c];
        if (!in.origin.empty() && kept_[c]) out.origin.push_back(in.origin[i]);
    }
    out.bytes.resize(static_cast<std::size_t>(write - out.bytes.data()));
    return end;
}

void BertNormalizer::other(std::int32_t code_point, CharSpan origin, bool tracked, TextBuffer& out) const {
    auto flags = bert_class(code_point);
    if (options_.clean_text && (flags & bert_removed)) return;
    if (options_.clean_text && (flags & bert_white_space)) return put(' ', origin, tracked, out);
    bool padded = options_.handle_chinese_chars && (flags & bert_chinese);
    if (padded) put(' ', origin, tracked, out);
    if (strip_accents_)
        decomposed(code_point, origin, tracked, out);
    else
        lowered(code_point, origin, tracked, out);
    if (padded) put(' ', origin, tracked, out);
}

void BertNormalizer::decomposed(std::int32_t code_point, CharSpan origin, bool tracked, TextBuffer& out) const {
    constexpr std::int32_t longest = 18;  // UTF-16 units; Unicode's longest canonical decomposition has four
    UChar units[longest];
    UErrorCode code = U_ZERO_ERROR;
    auto length = unorm2_getDecomposition(nfd(), code_point, units, longest, &code);
    if (length < 0 || U_FAILURE(code) || !known_to_reference(code_point)) {
        if (!(bert_class(code_point) & bert_nonspacing_mark)) lowered(code_point, origin, tracked, out);
        return;
    }
    for (std::int32_t i = 0; i < length;) {
        UChar32 part;
        U16_NEXT(units, i, length, part);
        if (!(bert_class(part) & bert_nonspacing_mark)) lowered(part, origin, tracked, out);
    }
}

void BertNormalizer::lowered(std::int32_t code_point, CharSpan origin, bool tracked, TextBuffer& out) const {
    constexpr std::int32_t capital_i_with_dot = 0x130;  // the only code point that lower-cases into two
    if (options_.lowercase && code_point == capital_i_with_dot) {
        put('i', origin, tracked, out);
        return put(0x307, origin, tracked, out);
    }
    auto lower = options_.lowercase ? u_tolower(code_point) : code_point;
    if (strip_accents_) return put_in_order(lower, origin, tracked, out);
    put(lower, origin, tracked, out);
}

}  // namespace rootstock
