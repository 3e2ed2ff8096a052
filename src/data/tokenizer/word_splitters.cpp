#include "data/tokenizer/word_splitters.h"

#include <unicode/uchar.h>

#include <utility>

#include "data/text/bert_classes.h"
#include "data/text/unicode_scripts.h"
#include "data/text/utf8.h"
#include "data/text/word_characters.h"

namespace rootstock {
namespace {

std::vector<Stretch>& scratch() {
    thread_local std::vector<Stretch> stretches;
    stretches.clear();
    return stretches;
}

}  // namespace

void PatternSplit::split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const {
    auto& stretches = scratch();
    std::size_t done = 0;
    auto part = word.of(text);
    pattern_.each_match(part, [&](std::size_t begin, std::size_t end) {
        if (done < begin) stretches.push_back({byte_span(done, begin), invert_});
        stretches.push_back({byte_span(begin, end), !invert_});
        done = end;
    });
    if (done < part.size()) stretches.push_back({byte_span(done, part.size()), invert_});
    join_stretches(stretches, behavior_, word.begin, words);
}

bool CharacterSplit::white_space(std::int32_t code_point, std::int32_t) {
    return bert_class(code_point) & bert_white_space;
}
bool CharacterSplit::punctuation(std::int32_t code_point, std::int32_t) {
    return bert_class(code_point) & bert_punctuation;
}
bool CharacterSplit::number(std::int32_t code_point, std::int32_t) {
    if (U_GET_GC_MASK(code_point) & U_GC_N_MASK) return true;
    // Those that came with Unicode 16 and 17, which the reference knows and ICU 72 does not.
    constexpr std::pair<std::int32_t, std::int32_t> newer[] = {
        {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x11DE0, 0x11DE9}, {0x16130, 0x16139},
        {0x16D70, 0x16D79}, {0x16FF4, 0x16FF6}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA}};
    for (auto [first, last] : newer)
        if (code_point >= first && code_point <= last) return true;
    return false;
}

void CharacterSplit::split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const {
    auto& stretches = scratch();
    auto part = word.of(text);
    std::size_t done = 0;
    for (std::size_t at = 0; at < part.size();) {
        auto decoded = decode_utf8(part.substr(at));
        if (is_match_(decoded.code_point, wanted_)) {
            if (done < at) stretches.push_back({byte_span(done, at), false});
            done = at + decoded.length;
            stretches.push_back({byte_span(at, done), true});
        }
        at += decoded.length;
    }
    if (done < part.size()) stretches.push_back({byte_span(done, part.size()), false});
    join_stretches(stretches, behavior_, word.begin, words);
}

void WordsSplit::split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const {
    enum class Kind { space, word, sign } last = Kind::space;
    std::size_t begin = word.begin;
    auto close = [&](std::size_t end) {
        if (last != Kind::space) words.push_back(byte_span(begin, end));
    };
    for (std::size_t at = word.begin; at < word.end;) {
        auto decoded = decode_utf8(text.substr(at));
        auto kind = is_word_character(decoded.code_point)                ? Kind::word
                    : CharacterSplit::white_space(decoded.code_point, 0) ? Kind::space
                                                                         : Kind::sign;
        if (kind != last) {
            close(at);
            begin = at;
            last = kind;
        }
        at += decoded.length;
    }
    close(word.end);
}

void UnicodeScriptsSplit::split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const {
    constexpr std::int32_t none = -2;
    auto part = word.of(text);
    auto last = none;
    std::size_t begin = std::string_view::npos;  // the reference drops what stands before the first script
    for (std::size_t at = 0; at < part.size();) {
        auto decoded = decode_utf8(part.substr(at));
        auto script = unicode_script(decoded.code_point);
        if (script != any_script) {
            if (script != last) {
                if (begin != std::string_view::npos) words.push_back(byte_span(word.begin + begin, word.begin + at));
                begin = at;
            }
            last = script;
        }
        at += decoded.length;
    }
    if (begin != std::string_view::npos) words.push_back(byte_span(word.begin + begin, word.end));
}

void FixedLengthSplit::split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const {
    std::size_t begin = word.begin, characters = 0;
    for (std::size_t at = word.begin; at < word.end; ++at) {
        if (is_continuation_byte(text[at])) continue;
        if (characters == length_) {
            words.push_back(byte_span(begin, at));
            begin = at;
            characters = 0;
        }
        ++characters;
    }
    if (begin < word.end) words.push_back(byte_span(begin, word.end));
}

}  // namespace rootstock
