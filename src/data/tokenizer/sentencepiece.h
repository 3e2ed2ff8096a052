#pragma once
// SentencePiece models (Kudo and Richardson, 2018): one protobuf file with the pieces, their scores, and how text is
// normalised. It is turned into the parts that every tokenizer here has, so that no second way of tokenizing exists.

#include "data/tokenizer/parts.h"
#include "data/tokenizer/precompiled.h"

namespace rootstock {

// The fields of sentencepiece_model.proto that tokenizing needs.
struct SentencePieceModel {
    enum class Type { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
    struct Piece {
        std::string token;
        float score = 0;
        Type type = Type::normal;
    };
    std::vector<Piece> pieces;
    std::int64_t algorithm = 1;  // 1 Unigram, 2 BPE, 3 words, 4 characters
    bool byte_fallback = false;
    bool whitespace_as_suffix = false;
    std::string unknown_surface = " \u2047 ";
    std::string charsmap;
    bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

// corrupt: the bytes are no such model.
Result<SentencePieceModel> read_sentencepiece_model(std::string_view bytes, std::string_view what);

// The parts, without special tokens around a text. unsupported: a word or character model.
Result<TokenizerParts> parts_of(const SentencePieceModel& model, std::string_view what);

// SentencePiece's own normaliser: rules for the longest match, spaces made one, "▁" for every space and before the
// text.
class SentencePieceNormalizer final : public Normalizer {
public:
    SentencePieceNormalizer(std::unique_ptr<PrecompiledNormalizer> rules, const SentencePieceModel& model)
        : rules_(std::move(rules)),
          dummy_prefix_(model.add_dummy_prefix),
          single_spaces_(model.remove_extra_whitespaces),
          escape_(model.escape_whitespaces),
          suffix_(model.whitespace_as_suffix) {}
    void normalize(TextView in, TextBuffer& out) const override;

private:
    std::unique_ptr<PrecompiledNormalizer> rules_;
    bool dummy_prefix_, single_spaces_, escape_, suffix_;
};

}  // namespace rootstock
