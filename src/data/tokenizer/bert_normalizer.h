#pragma once
// BERT's normaliser, in this order: drop control characters and turn white space into spaces; put spaces around
// Chinese characters; decompose (NFD) and drop accents; lower-case.

#include <array>

#include "data/tokenizer/pieces.h"

namespace rootstock {

struct BertNormalizerOptions {
    bool clean_text = true;
    bool handle_chinese_chars = true;
    std::optional<bool> strip_accents;  // nothing: as lowercase
    bool lowercase = true;
};

class BertNormalizer final : public Normalizer {
public:
    explicit BertNormalizer(BertNormalizerOptions options);
    void normalize(TextView in, TextBuffer& out) const override;

private:
    BertNormalizerOptions options_;
    bool strip_accents_;
    std::array<char, 128> ascii_{};  // what an ASCII character becomes
    std::array<bool, 128> kept_{};   // whether it stays
};

}  // namespace rootstock
