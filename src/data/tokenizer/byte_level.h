#pragma once
// Byte-level text (Radford et al., 2019): every byte becomes a printable character, so that a vocabulary of 256
// characters covers all texts. '!'..'~', U+00A1..U+00AC and U+00AE..U+00FF stand for themselves; the other bytes
// follow from U+0100 on ("Ġ" is the space).

#include "data/tokenizer/pattern.h"

namespace rootstock {

// The UTF-8 of the character that stands for a byte, one or two bytes long.
std::string_view byte_character(unsigned char byte);
// The byte that a character stands for, or -1.
int byte_of_character(std::int32_t code_point);

class ByteLevelNormalizer final : public Normalizer {
public:
    void normalize(TextView in, TextBuffer& out) const override;
};

class ByteLevelPreTokenizer final : public PreTokenizer {
public:
    // `split_words`: cut the text into words first, as GPT-2 does.
    static Result<std::unique_ptr<PreTokenizer>> make(bool add_prefix_space, bool split_words);

    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;
    bool rewrites() const override { return true; }
    void rewrite(TextView in, std::span<const ByteSpan> words, TextBuffer& out,
                 std::vector<ByteSpan>& out_words) const override;

private:
    bool add_prefix_space_ = false;
    std::optional<Pattern> pattern_;
};

class ByteLevelDecoder final : public Decoder {
public:
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    bool fuses() const override { return true; }
    std::optional<std::string> bytes_of(std::string_view piece, bool first, bool fused) const override;
};

}  // namespace rootstock
