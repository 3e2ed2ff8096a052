#include "data/tokenizer/normalizers.h"

#include <unicode/uchar.h>

#include "data/text/bert_classes.h"
#include "data/text/utf8.h"
#include "data/tokenizer/rewriting.h"
#include "data/tokenizer/unicode_forms.h"

namespace rootstock {
namespace {

constexpr std::int32_t dropped = -1;

// Appends map(c) for every character, each in its old place; `dropped` leaves it out.
template <typename Map>
void map_characters(TextView in, TextBuffer& out, Map map) {
    bool tracked = !in.origin.empty();
    for (std::size_t at = 0; at < in.bytes.size();) {
        auto decoded = decode_utf8(in.bytes.substr(at));
        if (auto mapped = map(decoded.code_point); mapped != dropped) append_utf8(out.bytes, mapped);
        if (tracked) out.origin.resize(out.bytes.size(), in.origin[at]);
        at += decoded.length;
    }
}

bool white_space(std::int32_t code_point) { return bert_class(code_point) & bert_white_space; }

std::int32_t nmt(std::int32_t c) {
    if ((c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F)
        return dropped;
    bool blank = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                 c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
    return blank ? ' ' : c;
}

// Categories M* of Unicode 9, as the reference has them: three characters have changed sides since.
bool is_mark(std::int32_t c) {
    if (c == 0x1CF2 || c == 0x1CF3) return true;
    return c != 0x111C9 && (U_GET_GC_MASK(c) & U_GC_M_MASK) && known_to_reference(c);
}

// The lower case of letters that came with Unicode 16 and 17, which the reference knows and ICU 72 does not.
std::int32_t newer_lowercase(std::int32_t c) {
    struct Row {
        std::int32_t first, last, lower;
    };
    constexpr Row rows[] = {{0x1C89, 0x1C89, 0x1C8A},   {0xA7CB, 0xA7CB, 0x264},  {0xA7CC, 0xA7CC, 0xA7CD},
                            {0xA7CE, 0xA7CE, 0xA7CF},   {0xA7D2, 0xA7D2, 0xA7D3}, {0xA7D4, 0xA7D4, 0xA7D5},
                            {0xA7DA, 0xA7DA, 0xA7DB},   {0xA7DC, 0xA7DC, 0x19B},  {0x10D50, 0x10D65, 0x10D70},
                            {0x16EA0, 0x16EB8, 0x16EBB}};
    for (const auto& row : rows)
        if (c >= row.first && c <= row.last) return row.lower + (c - row.first);
    return c;
}

// What stands in the place of in.bytes[begin, end).
void replace_part(TextView in, std::size_t end, std::string_view content, TextBuffer& out) {
    append_from(content, place_before(in, end), !in.origin.empty(), out);
}

}  // namespace

void StripNormalizer::normalize(TextView in, TextBuffer& out) const {
    std::size_t begin = 0, end = in.bytes.size();
    while (left_ && begin < end) {
        auto decoded = decode_utf8(in.bytes.substr(begin));
        if (!white_space(decoded.code_point)) break;
        begin += decoded.length;
    }
    while (right_ && end > begin) {
        auto last = end - 1;
        while (last > begin && is_continuation_byte(in.bytes[last])) --last;
        if (!white_space(decode_utf8(in.bytes.substr(last)).code_point)) break;
        end = last;
    }
    append_part(in, begin, end, out);
}

void StripAccentsNormalizer::normalize(TextView in, TextBuffer& out) const {
    map_characters(in, out, [](std::int32_t c) { return is_mark(c) ? dropped : c; });
}

void LowercaseNormalizer::normalize(TextView in, TextBuffer& out) const {
    constexpr std::int32_t capital_i_with_dot = 0x130;  // the only code point that lower-cases into two
    bool tracked = !in.origin.empty();
    for (std::size_t at = 0; at < in.bytes.size();) {
        auto decoded = decode_utf8(in.bytes.substr(at));
        auto lower = u_tolower(decoded.code_point);
        append_utf8(out.bytes, lower == decoded.code_point ? newer_lowercase(lower) : lower);
        if (decoded.code_point == capital_i_with_dot) append_utf8(out.bytes, 0x307);
        if (tracked) out.origin.resize(out.bytes.size(), in.origin[at]);
        at += decoded.length;
    }
}

void NmtNormalizer::normalize(TextView in, TextBuffer& out) const { map_characters(in, out, nmt); }

void ReplaceNormalizer::normalize(TextView in, TextBuffer& out) const {
    std::size_t done = 0;
    pattern_.each_match(in.bytes, [&](std::size_t begin, std::size_t end) {
        append_part(in, done, begin, out);
        replace_part(in, end, content_, out);
        done = end;
    });
    append_part(in, done, in.bytes.size(), out);
}

void ReplaceTextNormalizer::normalize(TextView in, TextBuffer& out) const {
    std::size_t done = 0;
    for (auto at = in.bytes.find(text_); at != std::string_view::npos; at = in.bytes.find(text_, done)) {
        append_part(in, done, at, out);
        done = at + text_.size();
        replace_part(in, done, content_, out);
    }
    append_part(in, done, in.bytes.size(), out);
}

void PrependNormalizer::normalize(TextView in, TextBuffer& out) const {
    bool tracked = !in.origin.empty();
    if (!in.bytes.empty()) append_from(text_, tracked ? in.origin[0] : CharSpan{}, tracked, out);
    append_part(in, 0, in.bytes.size(), out);
}

void NormalizerChain::normalize(TextView in, TextBuffer& out) const {
    if (steps_.empty()) return append_part(in, 0, in.bytes.size(), out);
    thread_local TextBuffer buffers[2];
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
        auto& buffer = buffers[i % 2];
        buffer.clear();
        buffer.start = in.start;
        steps_[i]->normalize(in, buffer);
        in = buffer.view();
    }
    steps_.back()->normalize(in, out);
    for (auto& buffer : buffers)
        if (buffer.bytes.capacity() > (std::size_t{1} << 20)) buffer = {};
}

}  // namespace rootstock
