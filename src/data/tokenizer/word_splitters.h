#pragma once
// Pre-tokenizers that cut words and change nothing.

#include "data/tokenizer/pattern.h"

namespace rootstock {

// Cuts where a pattern matches; with `invert` the matches are what stands between.
class PatternSplit final : public PreTokenizer {
public:
    PatternSplit(Pattern pattern, SplitBehavior behavior, bool invert)
        : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;

private:
    Pattern pattern_;
    SplitBehavior behavior_;
    bool invert_;
};

// Cuts at characters of a class: each is a match of its own.
class CharacterSplit final : public PreTokenizer {
public:
    using IsMatch = bool (*)(std::int32_t code_point, std::int32_t wanted);
    CharacterSplit(IsMatch is_match, SplitBehavior behavior, std::int32_t wanted = 0)
        : is_match_(is_match), behavior_(behavior), wanted_(wanted) {}
    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;

    static bool white_space(std::int32_t code_point, std::int32_t);
    static bool punctuation(std::int32_t code_point, std::int32_t);  // BERT's
    static bool number(std::int32_t code_point, std::int32_t);       // categories N*
    static bool equal(std::int32_t code_point, std::int32_t wanted) { return code_point == wanted; }

private:
    IsMatch is_match_;
    SplitBehavior behavior_;
    std::int32_t wanted_;
};

// Words and runs of other signs, without the white space between them.
class WordsSplit final : public PreTokenizer {
public:
    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;
};

// Cuts between writing systems, kana and Han counted as one; spaces belong to what stands before them.
class UnicodeScriptsSplit final : public PreTokenizer {
public:
    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;
};

// Cuts into words of so many characters.
class FixedLengthSplit final : public PreTokenizer {
public:
    explicit FixedLengthSplit(std::size_t length) : length_(length) {}
    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;

private:
    std::size_t length_;
};

}  // namespace rootstock
