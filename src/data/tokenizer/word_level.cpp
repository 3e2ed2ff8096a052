#include "data/tokenizer/word_level.h"

namespace rootstock {

Result<std::unique_ptr<WordLevel>> WordLevel::make(std::vector<VocabularyEntry> entries, std::string unknown_token) {
    auto model = std::make_unique<WordLevel>();
    ROOTSTOCK_TRY(vocabulary, Vocabulary::make(std::move(entries)));
    model->vocabulary_ = std::move(vocabulary);
    model->unknown_ = model->id(unknown_token);
    model->unknown_token_ = std::move(unknown_token);
    return model;
}

void WordLevel::tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const {
    auto found = vocabulary_.table().find(word.of(text));
    if (found == PieceTable::none) {
        if (!unknown_)
            throw TokenizingFault{{ErrorCode::corrupt,
                                   "the text holds a word that is not in the vocabulary, and the vocabulary lacks its "
                                   "own unknown token '" +
                                       unknown_token_ + "'",
                                   "", ""}};
        found = *unknown_;
    }
    pieces.push_back({found, word});
}

}  // namespace rootstock
