#include "data/tokenizer/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/text/utf8.h"

namespace rootstock {
namespace {

constexpr double single_sum_max = 100'000;  // as SentencePiece's, beyond which a long text's sums start anew

}  // namespace

// The best way to reach a byte of the word: from where, and by which piece.
struct Unigram::Node {
    double score = 0;
    std::uint32_t from = 0;
    std::int32_t id = -1;  // -1: not reached
};

Result<std::unique_ptr<Unigram>> Unigram::make(std::vector<UnigramPiece> pieces, std::optional<std::int32_t> unknown,
                                               bool byte_fallback, const std::vector<bool>& searched, ScoreSums sums) {
    constexpr double unknown_penalty = 10;
    if (unknown && (*unknown < 0 || static_cast<std::size_t>(*unknown) >= pieces.size()))
        return fail(ErrorCode::corrupt, "unk_id " + std::to_string(*unknown) + " is beyond the vocabulary of " +
                                            std::to_string(pieces.size()) + " pieces");
    auto model = std::make_unique<Unigram>();
    std::vector<VocabularyEntry> entries;
    double lowest = std::numeric_limits<double>::infinity();
    for (auto& piece : pieces) {
        if (std::isnan(piece.score)) return fail(ErrorCode::corrupt, "the score of '" + piece.token + "' is no number");
        auto id = static_cast<std::int32_t>(entries.size());
        model->scores_.push_back(piece.score);
        if (searched.empty() || searched[entries.size()]) {
            lowest = std::min(lowest, piece.score);
            model->trie_.add(piece.token, id);
        }
        entries.push_back({std::move(piece.token), id});
    }
    ROOTSTOCK_TRY(vocabulary, Vocabulary::make(std::move(entries)));
    model->vocabulary_ = std::move(vocabulary);
    model->sums_ = sums;
    model->unknown_score_ = model->rounded(lowest - unknown_penalty);
    model->unknown_ = unknown;
    model->byte_fallback_ = byte_fallback;
    for (unsigned byte = 0; byte < 256; ++byte)
        model->byte_ids_[byte] = model->vocabulary_.table().find(fmt::format("<0x{:02X}>", byte));
    return model;
}

// A sum of two singles, taken in double, rounds to what their sum in single precision is.
double Unigram::rounded(double sum) const {
    return sums_ == ScoreSums::in_single ? static_cast<double>(static_cast<float>(sum)) : sum;
}

std::int32_t Unigram::required_unknown() const {
    if (unknown_) return *unknown_;
    throw TokenizingFault{{ErrorCode::corrupt,
                           "the text holds a character that is not in the vocabulary, and the "
                           "tokenizer names no unknown token (unk_id)",
                           "", ""}};
}

void Unigram::search(std::string_view word, std::vector<Node>& best) const {
    best.assign(word.size() + 1, {});
    std::size_t furthest = 0;
    auto reach = [&](std::size_t from, std::size_t to, double score, std::int32_t id) {
        auto& node = best[to];
        auto total = rounded(score + best[from].score);
        if (node.id < 0 || total > node.score) node = {total, static_cast<std::uint32_t>(from), id};
        furthest = std::max(furthest, to);
    };
    for (std::size_t at = 0; at < word.size();) {
        auto character = decode_utf8(word.substr(at)).length;
        if (sums_ == ScoreSums::in_single && std::abs(best[at].score) > single_sum_max) start_anew(best, at, furthest);
        bool single = false;
        trie_.each_prefix(word.substr(at), [&](std::int32_t id, std::size_t length) {
            reach(at, at + length, scores_[static_cast<std::size_t>(id)], id);
            single = single || length == character;
        });
        if (!single) reach(at, at + character, unknown_score_, required_unknown());
        at += character;
    }
}

// Only differences between sums matter: those under way are taken against the one at `at`, before single precision can
// no longer tell them apart.
void Unigram::start_anew(std::vector<Node>& best, std::size_t at, std::size_t furthest) const {
    auto sum = best[at].score;
    for (auto i = at; i <= furthest; ++i)
        if (i == at || best[i].id >= 0) best[i].score = rounded(best[i].score - sum);
}

// As the reference spells it: the text of fused unknown characters may itself be a token.
void Unigram::add_unknown(std::string_view text, ByteSpan bytes, std::vector<Piece>& pieces) const {
    auto part = bytes.of(text);
    if (auto whole = vocabulary_.table().find(part); whole != PieceTable::none) {
        pieces.push_back({whole, bytes});
        return;
    }
    auto missing = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)] < 0; };
    if (!byte_fallback_ || std::ranges::any_of(part, missing)) {
        pieces.push_back({required_unknown(), bytes});
        return;
    }
    for (char c : part) pieces.push_back({byte_ids_[static_cast<unsigned char>(c)], bytes});
}

void Unigram::tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const {
    thread_local std::vector<Node> best;
    search(word.of(text), best);
    auto first = pieces.size();
    for (auto end = word.end - word.begin; end > 0;) {
        auto node = best[end];
        pieces.push_back({node.id, {word.begin + node.from, word.begin + end}});
        end = node.from;
    }
    std::reverse(pieces.begin() + static_cast<std::ptrdiff_t>(first), pieces.end());
    bool known = std::none_of(pieces.begin() + static_cast<std::ptrdiff_t>(first), pieces.end(),
                              [&](const Piece& piece) { return unknown_ && piece.id == *unknown_; });
    if (best.capacity() > (std::size_t{1} << 16)) best = {};
    if (known) return;
    std::vector<Piece> found(pieces.begin() + static_cast<std::ptrdiff_t>(first), pieces.end());
    pieces.resize(first);
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].id != *unknown_) {
            pieces.push_back(found[i]);
            continue;
        }
        auto bytes = found[i].bytes;
        while (i + 1 < found.size() && found[i + 1].id == *unknown_) bytes.end = found[++i].bytes.end;
        add_unknown(text, bytes, pieces);
    }
}

}  // namespace rootstock
