#pragma once
// Spaces as visible characters ("▁" in SentencePiece's vocabularies), and back.

#include "data/tokenizer/pieces.h"

namespace rootstock {

// Whether a stretch of text that does not begin with the replacement gets one: never, only where it is the beginning
// of the input, or always.
enum class PrependScheme { never, first, always };

class MetaspacePreTokenizer final : public PreTokenizer {
public:
    MetaspacePreTokenizer(std::string replacement, PrependScheme scheme, bool cuts)
        : replacement_(std::move(replacement)), scheme_(scheme), cuts_(cuts) {}

    void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const override;
    bool rewrites() const override { return true; }
    bool needs_origin() const override { return scheme_ == PrependScheme::first; }
    void rewrite(TextView in, std::span<const ByteSpan> words, TextBuffer& out,
                 std::vector<ByteSpan>& out_words) const override;

private:
    void rewrite_word(TextView in, ByteSpan word, TextBuffer& out) const;

    std::string replacement_;
    PrependScheme scheme_;
    bool cuts_;  // a word begins at every replacement
};

class MetaspaceDecoder final : public Decoder {
public:
    MetaspaceDecoder(std::string replacement, bool drops_first)
        : replacement_(std::move(replacement)), drops_first_(drops_first) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override;

private:
    std::string replacement_;
    bool drops_first_;  // the replacements of the first token
};

}  // namespace rootstock
