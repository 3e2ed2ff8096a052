#include "data/tokenizer/precompiled.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <cstring>

#include "data/reader/reader.h"
#include "data/text/utf8.h"
#include "data/tokenizer/rewriting.h"

namespace rootstock {
namespace {

// The fields of a unit (Darts-clone).
bool has_leaf(std::uint32_t unit) { return unit >> 8 & 1; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFF; }
std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000FF; }
std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

// Ends of user-perceived characters (UAX 29) of one text after another, on one thread.
class Graphemes {
public:
    Graphemes() {
        UErrorCode code = U_ZERO_ERROR;
        breaks_ = ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &code);
        ROOTSTOCK_CHECK(U_SUCCESS(code), "ICU delivers its character breaks");
    }
    ~Graphemes() {
        ubrk_close(breaks_);
        utext_close(&text_);
    }
    Graphemes(const Graphemes&) = delete;
    Graphemes& operator=(const Graphemes&) = delete;

    void start(std::string_view text) {
        UErrorCode code = U_ZERO_ERROR;
        utext_openUTF8(&text_, text.data(), static_cast<std::int64_t>(text.size()), &code);
        ubrk_setUText(breaks_, &text_, &code);
        ROOTSTOCK_CHECK(U_SUCCESS(code), "ICU reads valid UTF-8");
    }
    std::size_t end_after(std::size_t at) {
        auto end = ubrk_following(breaks_, static_cast<std::int32_t>(at));
        return end == UBRK_DONE ? std::string_view::npos : static_cast<std::size_t>(end);
    }

private:
    UBreakIterator* breaks_ = nullptr;
    UText text_ = UTEXT_INITIALIZER;
};

// In place of `old_count` characters, the characters of `text`: the last of them are counted as inserted, or, when
// they are fewer, the last one swallows what is left over.
void add_replacement(std::string_view text, std::int32_t old_count, std::vector<Rewritten>& out) {
    auto begin = out.size();
    for (std::size_t at = 0; at < text.size();) {
        auto decoded = decode_utf8(text.substr(at));
        out.push_back({decoded.code_point, 0});
        at += decoded.length;
    }
    auto more = static_cast<std::int32_t>(out.size() - begin) - old_count;
    for (std::size_t i = out.size(); more > 0; --more) out[--i].change = 1;
    if (more < 0 && !out.empty()) out.back().change += more;
}

}  // namespace

Result<std::unique_ptr<PrecompiledNormalizer>> PrecompiledNormalizer::make(std::string_view blob) {
    auto made = std::make_unique<PrecompiledNormalizer>();
    if (blob.empty()) return made;
    std::uint32_t bytes = 0;
    if (blob.size() >= sizeof bytes) std::memcpy(&bytes, blob.data(), sizeof bytes);
    if (blob.size() < sizeof bytes || bytes > blob.size() - sizeof bytes || bytes < 4)
        return fail(ErrorCode::corrupt, "'precompiled_charsmap' is cut short");
    made->units_.resize(bytes / 4);
    std::memcpy(made->units_.data(), blob.data() + sizeof bytes, made->units_.size() * 4);
    made->replacements_ = blob.substr(sizeof bytes + made->units_.size() * 4);
    if (find_invalid_utf8(made->replacements_) != std::string_view::npos)
        return fail(ErrorCode::corrupt, "'precompiled_charsmap' holds text that is not UTF-8");
    return made;
}

std::string_view PrecompiledNormalizer::replacement_at(std::uint32_t offset) const {
    if (offset >= replacements_.size()) return {};
    auto text = std::string_view(replacements_).substr(offset);
    if (is_continuation_byte(text[0])) return {};  // a damaged file points into a character
    return text.substr(0, text.find('\0'));
}

template <typename Take>
void PrecompiledNormalizer::each_rule(std::string_view text, Take take) const {
    if (units_.empty()) return;
    std::size_t at = offset_of(units_[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        at ^= byte;
        if (byte == 0 || at >= units_.size()) return;
        auto unit = units_[at];
        if (label_of(unit) != byte) return;
        at ^= offset_of(unit);
        if (at >= units_.size()) return;
        if (has_leaf(unit)) take(value_of(units_[at]), i + 1);
    }
}

std::optional<std::string_view> PrecompiledNormalizer::first_rule(std::string_view text) const {
    std::optional<std::string_view> found;
    each_rule(text, [&](std::uint32_t value, std::size_t) {
        if (!found) found = replacement_at(value);
    });
    return found;
}

std::optional<PrecompiledNormalizer::Rule> PrecompiledNormalizer::longest_rule(std::string_view text) const {
    std::optional<Rule> found;
    each_rule(text, [&](std::uint32_t value, std::size_t length) { found = {replacement_at(value), length}; });
    return found;
}

// As the reference applies the rules, and not as SentencePiece itself does: to whole user-perceived characters of up
// to five bytes, else to single code points; always the shortest rule that the beginning matches.
void PrecompiledNormalizer::normalize(TextView in, TextBuffer& out) const {
    thread_local Graphemes graphemes;
    thread_local std::vector<Rewritten> characters;
    constexpr std::size_t grapheme_bytes_max = 5;
    characters.clear();
    if (in.bytes.empty()) return;
    graphemes.start(in.bytes);
    bool modified = false;
    auto replaced = [&](std::string_view part, std::int32_t count) {
        auto rule = first_rule(part);
        if (!rule) return false;
        add_replacement(*rule, count, characters);
        return modified = true;
    };
    for (std::size_t at = 0; at < in.bytes.size();) {
        auto end = std::min(graphemes.end_after(at), in.bytes.size());
        auto grapheme = in.bytes.substr(at, end - at);
        at = end;
        if (grapheme.size() <= grapheme_bytes_max &&
            replaced(grapheme, static_cast<std::int32_t>(count_code_points(grapheme))))
            continue;
        for (std::size_t i = 0; i < grapheme.size();) {
            auto decoded = decode_utf8(grapheme.substr(i));
            if (!replaced(grapheme.substr(i, decoded.length), 1)) characters.push_back({decoded.code_point, 0});
            i += decoded.length;
        }
    }
    if (modified)
        rewrite_text(in, characters, out);
    else
        append_part(in, 0, in.bytes.size(), out);
    if (characters.capacity() > (std::size_t{1} << 16)) characters = {};
}

std::optional<std::string> from_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string out;
    std::uint32_t bits = 0;
    int held = 0;
    for (char c : text) {
        int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+'             ? 62
                    : c == '/'             ? 63
                                           : -1;
        if (digit < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>(bits >> held & 0xFF);
    }
    return out;
}

}  // namespace rootstock
