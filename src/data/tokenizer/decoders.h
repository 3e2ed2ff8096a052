#pragma once
// From tokens back to text. A chain of decoders is a chain of stages; pieces run through it one by one.

#include "data/tokenizer/pattern.h"

namespace rootstock {

// WordPiece: pieces with the continuing prefix join the word before; with `cleanup`, the spaces that stand before
// English punctuation and contractions go.
class WordPieceDecoder final : public Decoder {
public:
    WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;

private:
    std::string prefix_;
    bool cleanup_;
};

// The suffix that ends a word becomes a space, but for the last token.
class BpeDecoder final : public Decoder {
public:
    explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    std::optional<std::string> bytes_of(std::string_view, bool, bool) const override { return {}; }

private:
    std::string suffix_;
};

// Connectionist temporal classification: repeated tokens count once, the padding token falls out.
class CtcDecoder final : public Decoder {
public:
    CtcDecoder(std::string pad, std::string delimiter, bool cleanup)
        : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    std::optional<std::string> bytes_of(std::string_view, bool, bool) const override { return {}; }

private:
    std::string pad_, delimiter_;
    bool cleanup_;
};

// "<0xE4>": runs of such tokens become the text of their bytes, or U+FFFD each where they are none. A run is given
// out when it has ended, since its last byte decides.
class ByteFallbackDecoder final : public Decoder {
public:
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    std::optional<std::string> bytes_of(std::string_view piece, bool first, bool fused) const override;
};

class ReplaceDecoder final : public Decoder {
public:
    ReplaceDecoder(Pattern pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;

private:
    Pattern pattern_;
    std::string content_;
};

// All tokens become one.
class FuseDecoder final : public Decoder {
public:
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    bool fuses() const override { return true; }
    std::optional<std::string> bytes_of(std::string_view piece, bool, bool) const override {
        return std::string(piece);
    }
};

// Takes up to so many of one character off both ends of every token.
class StripDecoder final : public Decoder {
public:
    StripDecoder(std::string content, std::size_t start, std::size_t stop)
        : content_(std::move(content)), start_(start), stop_(stop) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    std::optional<std::string> bytes_of(std::string_view piece, bool first, bool fused) const override;

private:
    std::string content_;
    std::size_t start_, stop_;
};

class DecoderChain final : public Decoder {
public:
    explicit DecoderChain(std::vector<std::unique_ptr<Decoder>> decoders) : decoders_(std::move(decoders)) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
    bool fuses() const override;
    std::optional<std::string> bytes_of(std::string_view piece, bool first, bool fused) const override;

private:
    std::vector<std::unique_ptr<Decoder>> decoders_;
};

// For tokenizers without a decoder: tokens joined by spaces.
class JoiningDecoder final : public Decoder {
public:
    std::unique_ptr<DecodeStage> stage(bool fused) const override;
};

// `stage` itself, or for fused input one that waits for the whole token first.
std::unique_ptr<DecodeStage> gathered(bool fused, std::unique_ptr<DecodeStage> stage);

std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace rootstock
