#pragma once
// WordPiece tokens back to text: pieces with the continuing prefix join the word before; with `cleanup`, the spaces
// that stand before English punctuation and contractions go.

#include "data/tokenizer/pieces.h"

namespace rootstock {

class WordPieceDecoder final : public Decoder {
public:
    WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
    std::string decode(std::span<const std::string_view> tokens) const override;

private:
    std::string prefix_;
    bool cleanup_;
};

}  // namespace rootstock
