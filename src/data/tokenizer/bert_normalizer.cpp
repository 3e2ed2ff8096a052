#include "data/tokenizer/bert_normalizer.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <algorithm>

#include "data/text/bert_classes.h"
#include "data/text/utf8.h"
#include "data/tokenizer/unicode_forms.h"

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

std::uint8_t combining_class(std::int32_t code_point) {
    auto own = u_getCombiningClass(code_point);
    return own != 0 && known_to_reference(code_point) ? own : 0;
}

// One walk over a text. Marks are held back until the next base character, since canonical order (Unicode Standard,
// D109) may exchange them; as in the reference, the places they came from keep their order when the marks change it.
class Pass {
public:
    Pass(const BertNormalizerOptions& options, bool strip_accents, bool tracked, TextBuffer& out)
        : options_(options), strip_accents_(strip_accents), tracked_(tracked), out_(out) {}

    void take(std::int32_t code_point, CharSpan origin) {
        auto flags = bert_class(code_point);
        if (options_.clean_text && (flags & bert_removed)) return;
        if (options_.clean_text && (flags & bert_white_space)) return base(' ', origin);
        bool padded = options_.handle_chinese_chars && (flags & bert_chinese);
        if (padded) base(' ', origin);
        if (strip_accents_)
            decompose(code_point, origin);
        else
            lowered(code_point, origin);
        if (padded) base(' ', origin);
    }

    bool holds_marks() const { return !marks_.empty(); }

    // To be called before anything else is written to the buffer, and at the end.
    void release_marks() {
        if (marks_.empty()) return;
        std::ranges::stable_sort(marks_, {}, combining_class);
        for (std::size_t i = 0; i < marks_.size(); ++i)
            if (!(bert_class(marks_[i]) & bert_nonspacing_mark)) lowered(marks_[i], mark_origins_[i]);
        marks_.clear();
        mark_origins_.clear();
    }

private:
    void decompose(std::int32_t code_point, CharSpan origin) {
        constexpr std::int32_t longest = 18;  // UTF-16 units; Unicode's longest canonical decomposition has four
        UChar units[longest];
        UErrorCode code = U_ZERO_ERROR;
        auto length = unorm2_getDecomposition(nfd(), code_point, units, longest, &code);
        if (length < 0 || U_FAILURE(code) || !known_to_reference(code_point)) return part(code_point, origin);
        for (std::int32_t i = 0; i < length;) {
            UChar32 next;
            U16_NEXT(units, i, length, next);
            part(next, origin);
        }
    }

    void part(std::int32_t code_point, CharSpan origin) {
        if (combining_class(code_point) == 0) {
            release_marks();
            if (!(bert_class(code_point) & bert_nonspacing_mark)) lowered(code_point, origin);
            return;
        }
        marks_.push_back(code_point);
        mark_origins_.push_back(origin);
    }

    void base(std::int32_t code_point, CharSpan origin) {
        release_marks();
        put(code_point, origin);
    }

    void lowered(std::int32_t code_point, CharSpan origin) {
        constexpr std::int32_t capital_i_with_dot = 0x130;  // the only code point that lower-cases into two
        if (!options_.lowercase) return put(code_point, origin);
        put(u_tolower(code_point), origin);
        if (code_point == capital_i_with_dot) put(0x307, origin);
    }

    // Appends one code point, all of its bytes from the same place.
    void put(std::int32_t code_point, CharSpan origin) {
        append_utf8(out_.bytes, code_point);
        if (tracked_) out_.origin.resize(out_.bytes.size(), origin);
    }

    const BertNormalizerOptions& options_;
    bool strip_accents_, tracked_;
    TextBuffer& out_;
    std::vector<std::int32_t> marks_;
    std::vector<CharSpan> mark_origins_;
};

// Appends in.bytes[at..] as far as they are ASCII, changed by the tables; returns where they end.
std::size_t append_ascii(TextView in, std::size_t at, const std::array<char, 128>& becomes,
                         const std::array<bool, 128>& kept, TextBuffer& out) {
    auto end = at;
    while (end < in.bytes.size() && is_ascii(in.bytes[end])) ++end;
    auto begin = out.bytes.size();
    out.bytes.resize(begin + (end - at));
    char* write = out.bytes.data() + begin;
    for (auto i = at; i < end; ++i) {
        auto c = static_cast<unsigned char>(in.bytes[i]);
        *write = becomes[c];
        write += kept[c];
        if (!in.origin.empty() && kept[c]) out.origin.push_back(in.origin[i]);
    }
    out.bytes.resize(static_cast<std::size_t>(write - out.bytes.data()));
    return end;
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
    Pass pass(options_, strip_accents_, tracked, out);
    for (std::size_t at = 0; at < in.bytes.size();) {
        if (is_ascii(in.bytes[at])) {
            if (pass.holds_marks() && !kept_[static_cast<unsigned char>(in.bytes[at])]) {
                ++at;  // as if it had never stood between the marks
                continue;
            }
            pass.release_marks();
            at = append_ascii(in, at, ascii_, kept_, out);
            continue;
        }
        auto decoded = decode_utf8(in.bytes.substr(at));
        pass.take(decoded.code_point, tracked ? in.origin[at] : CharSpan{});
        at += decoded.length;
    }
    pass.release_marks();
}

}  // namespace rootstock
