#include "data/tokenizer/wordpiece.h"

#include "data/text/utf8.h"

namespace rootstock {
Result<std::unique_ptr<WordPiece>> WordPiece::make(std::vector<VocabularyEntry> vocabulary, WordPieceOptions options) {
    std::unique_ptr<WordPiece> model(new WordPiece);
    std::size_t bytes = 0;
    for (const auto& entry : vocabulary) bytes += entry.token.size();
    model->continuing_.reserve(vocabulary.size(), bytes);
    for (const auto& entry : vocabulary)
        if (entry.token.starts_with(options.continuing_prefix) && entry.token.size() > options.continuing_prefix.size())
            model->continuing_.add(std::string_view(entry.token).substr(options.continuing_prefix.size()), entry.id);
    ROOTSTOCK_TRY(made, Vocabulary::make(std::move(vocabulary)));
    model->vocabulary_ = std::move(made);
    model->options_ = std::move(options);
    auto unknown = model->id(model->options_.unknown_token);
    if (!unknown)
        return fail(ErrorCode::corrupt,
                    "the vocabulary lacks its own unknown token '" + model->options_.unknown_token + "'");
    model->unknown_ = *unknown;
    return model;
}

bool WordPiece::too_long(std::string_view word) const {
    return word.size() > options_.max_chars_per_word && count_code_points(word) > options_.max_chars_per_word;
}

void WordPiece::tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const {
    auto rest = text.substr(word.begin, word.end - word.begin);
    auto before = pieces.size();
    bool fits = !too_long(rest);
    for (auto at = word.begin; fits && !rest.empty();) {
        auto match = (at == word.begin ? vocabulary_.table() : continuing_).longest_prefix(rest);
        fits = match.id != PieceTable::none;
        if (!fits) break;
        auto end = at + static_cast<std::uint32_t>(match.length);
        pieces.push_back({match.id, {at, end}});
        rest.remove_prefix(match.length);
        at = end;
    }
    if (fits) return;
    pieces.resize(before);
    pieces.push_back({unknown_, word});
}

}  // namespace rootstock
