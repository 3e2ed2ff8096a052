#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "data/text/utf8.h"
#include "data/tokenizer/trainers.h"

namespace rootstock {
namespace {

constexpr std::size_t piece_characters_max = 16;  // as SentencePiece's
constexpr std::size_t seed_pieces_max = 1'000'000;
constexpr double kept_share = 0.75;   // of the vocabulary, in one round of pruning
constexpr int steps_per_round = 2;    // of expectation maximisation
constexpr double expected_min = 0.5;  // a piece expected less often than this falls out
constexpr double score_never = -1e9;

// The logarithmic derivative of the gamma function (Abramowitz and Stegun, 6.3.18, after shifting up).
double digamma(double x) {
    double result = 0;
    for (; x < 7; ++x) result -= 1 / x;
    x -= 0.5;
    double inverse = 1 / x, square = inverse * inverse;
    result +=
        std::log(x) + square * (1.0 / 24 + square * (-7.0 / 960 + square * (31.0 / 8064 - square * 127.0 / 30720)));
    return result;
}

double log_sum(double a, double b) {
    if (a < b) std::swap(a, b);
    return b == score_never ? a : a + std::log1p(std::exp(b - a));
}

// A candidate piece at a place of a word.
struct Span {
    std::uint32_t begin, end;
    std::int32_t piece;
};

class Learning {
public:
    Learning(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options,
             const TrainTokenizerProgress& progress)
        : words_(words), options_(options), progress_(progress) {}

    Result<std::vector<UnigramPiece>> run() {
        count_characters();
        auto reserved = options_.special_tokens.size();
        if (characters_.size() + reserved > options_.vocabulary_size)
            return fail(ErrorCode::invalid_argument,
                        "the text needs " + std::to_string(characters_.size() + reserved) +
                            " tokens for its characters and special tokens alone; ask for a larger vocabulary",
                        "vocabulary_size");
        seed();
        auto wanted = options_.vocabulary_size - reserved;
        auto enough = std::max(wanted + wanted / 10, characters_.size());
        auto seeds = pieces_.size();
        while (true) {
            for (int step = 0; step < steps_per_round; ++step) maximise(expectations());
            if (progress_) progress_("pruning pieces", seeds - pieces_.size(), seeds > enough ? seeds - enough : 0);
            if (pieces_.size() <= enough || !prune(enough)) break;
        }
        return final_pieces(wanted);
    }

private:
    void count_characters() {
        for (const auto& word : words_)
            for (std::size_t at = 0; at < word.word.size();) {
                auto length = decode_utf8(std::string_view(word.word).substr(at)).length;
                characters_[word.word.substr(at, length)] += word.count;
                at += length;
            }
    }

    // All characters, and the substrings that cover most text.
    void seed() {
        std::unordered_map<std::string, std::uint64_t> counts;
        for (const auto& word : words_) {
            count_substrings(word, counts);
            if (counts.size() > 16 * seed_pieces_max)
                std::erase_if(counts, [](const auto& one) { return one.second < 2; });
        }
        std::vector<std::pair<double, std::string>> found;
        for (const auto& [text, count] : counts)
            if (count > 1)
                found.emplace_back(static_cast<double>(count) * static_cast<double>(count_code_points(text)), text);
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        found.resize(std::min({found.size(), seed_pieces_max, options_.vocabulary_size * 16}));
        for (const auto& [text, count] : sorted_characters()) pieces_.push_back({text, static_cast<double>(count)});
        for (auto& [score, text] : found) pieces_.push_back({std::move(text), score});
        double total = 0;
        for (const auto& piece : pieces_) total += piece.score;
        for (auto& piece : pieces_) piece.score = std::log(piece.score / total);
    }

    static void count_substrings(const CountedWord& word, std::unordered_map<std::string, std::uint64_t>& counts) {
        std::vector<std::size_t> starts;
        for (std::size_t at = 0; at < word.word.size(); ++at)
            if (!is_continuation_byte(word.word[at])) starts.push_back(at);
        starts.push_back(word.word.size());
        for (std::size_t i = 0; i + 2 < starts.size(); ++i)
            for (std::size_t n = 2; n <= piece_characters_max && i + n < starts.size(); ++n)
                counts[word.word.substr(starts[i], starts[i + n] - starts[i])] += word.count;
    }

    std::vector<std::pair<std::string, std::uint64_t>> sorted_characters() const {
        std::vector<std::pair<std::string, std::uint64_t>> out(characters_.begin(), characters_.end());
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
            return a.second != b.second ? a.second > b.second : a.first < b.first;
        });
        return out;
    }

    ByteTrie trie() const {
        ByteTrie made;
        for (std::size_t i = 0; i < pieces_.size(); ++i) made.add(pieces_[i].token, static_cast<std::int32_t>(i));
        return made;
    }

    static void spans_of(const ByteTrie& trie, std::string_view word, std::vector<Span>& spans) {
        spans.clear();
        for (std::size_t at = 0; at < word.size(); ++at) {
            if (is_continuation_byte(word[at])) continue;
            trie.each_prefix(word.substr(at), [&](std::int32_t piece, std::size_t length) {
                spans.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + length), piece});
            });
        }
    }

    double score(std::int32_t piece) const { return pieces_[static_cast<std::size_t>(piece)].score; }

    // How often each piece is expected, over all ways to cut each word (forward-backward).
    std::vector<double> expectations() const {
        auto index = trie();
        std::vector<double> expected(pieces_.size(), 0), alpha, beta;
        std::vector<Span> spans;
        for (const auto& word : words_) {
            spans_of(index, word.word, spans);
            alpha.assign(word.word.size() + 1, score_never);
            beta = alpha;
            alpha[0] = beta[word.word.size()] = 0;
            for (const auto& span : spans)
                if (alpha[span.begin] > score_never)
                    alpha[span.end] = log_sum(alpha[span.end], alpha[span.begin] + score(span.piece));
            for (auto span = spans.rbegin(); span != spans.rend(); ++span)
                if (beta[span->end] > score_never)
                    beta[span->begin] = log_sum(beta[span->begin], beta[span->end] + score(span->piece));
            auto whole = alpha[word.word.size()];
            if (whole == score_never) continue;
            for (const auto& span : spans)
                if (alpha[span.begin] > score_never && beta[span.end] > score_never)
                    expected[static_cast<std::size_t>(span.piece)] +=
                        static_cast<double>(word.count) *
                        std::exp(alpha[span.begin] + score(span.piece) + beta[span.end] - whole);
        }
        return expected;
    }

    // New scores from expectations, sparse as under a Dirichlet prior (digamma in the logarithm's place).
    void maximise(const std::vector<double>& expected) {
        std::vector<UnigramPiece> kept;
        double total = 0;
        for (std::size_t i = 0; i < pieces_.size(); ++i) {
            bool character = characters_.contains(pieces_[i].token);
            if (expected[i] < expected_min && !character) continue;
            kept.push_back({std::move(pieces_[i].token), std::max(expected[i], expected_min)});
            total += kept.back().score;
        }
        auto whole = digamma(total);
        for (auto& piece : kept) piece.score = digamma(piece.score) - whole;
        pieces_ = std::move(kept);
    }

    // The best cut of `word`; `without` may not be used.
    std::vector<std::int32_t> best_cut(const ByteTrie& index, std::string_view word, std::int32_t without,
                                       double& total) const {
        struct Node {
            double score = score_never;
            std::uint32_t from = 0;
            std::int32_t piece = -1;
        };
        std::vector<Span> spans;
        spans_of(index, word, spans);
        std::vector<Node> best(word.size() + 1);
        best[0].score = 0;
        for (const auto& span : spans) {
            if (span.piece == without || best[span.begin].score == score_never) continue;
            auto reached = best[span.begin].score + score(span.piece);
            if (reached > best[span.end].score) best[span.end] = {reached, span.begin, span.piece};
        }
        total = best[word.size()].score;
        std::vector<std::int32_t> cut;
        for (auto at = word.size(); at > 0 && best[at].piece >= 0; at = best[at].from) cut.push_back(best[at].piece);
        return cut;
    }

    // Drops the pieces whose loss costs the text the least likelihood; false when nothing could go.
    bool prune(std::size_t enough) {
        auto index = trie();
        std::vector<double> used(pieces_.size(), 0);
        double all = 0, ignored = 0;
        for (const auto& word : words_)
            for (auto piece : best_cut(index, word.word, -1, ignored)) {
                used[static_cast<std::size_t>(piece)] += static_cast<double>(word.count);
                all += static_cast<double>(word.count);
            }
        std::vector<std::pair<double, std::size_t>> losses;
        std::vector<bool> stays(pieces_.size(), false);
        std::size_t kept = 0;
        for (std::size_t i = 0; i < pieces_.size(); ++i) {
            if (characters_.contains(pieces_[i].token)) {
                stays[i] = true;
                ++kept;
                continue;
            }
            if (used[i] == 0) continue;
            double other = 0;
            auto parts = best_cut(index, pieces_[i].token, static_cast<std::int32_t>(i), other);
            losses.emplace_back(used[i] / all * (pieces_[i].score - other), i);
        }
        std::sort(losses.begin(), losses.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        auto target = std::max(enough, static_cast<std::size_t>(static_cast<double>(pieces_.size()) * kept_share));
        for (const auto& [loss, i] : losses) {
            if (kept >= target) break;
            stays[i] = true;
            ++kept;
        }
        std::vector<UnigramPiece> left;
        for (std::size_t i = 0; i < pieces_.size(); ++i)
            if (stays[i]) left.push_back(std::move(pieces_[i]));
        bool smaller = left.size() < stays.size();
        pieces_ = std::move(left);
        return smaller;
    }

    std::vector<UnigramPiece> final_pieces(std::size_t wanted) {
        auto by_score = [](const UnigramPiece& a, const UnigramPiece& b) {
            return a.score != b.score ? a.score > b.score : a.token < b.token;
        };
        std::sort(pieces_.begin(), pieces_.end(), by_score);
        std::vector<UnigramPiece> out;
        auto others = wanted - std::min(wanted, characters_.size());
        for (auto& piece : pieces_) {
            bool character = characters_.contains(piece.token);
            if (!character && others == 0) continue;
            others -= !character;
            out.push_back(std::move(piece));
        }
        for (auto special = options_.special_tokens.rbegin(); special != options_.special_tokens.rend(); ++special)
            out.insert(out.begin(), {*special, 0});
        return out;
    }

    const std::vector<CountedWord>& words_;
    const TrainTokenizerOptions& options_;
    const TrainTokenizerProgress& progress_;
    std::unordered_map<std::string, std::uint64_t> characters_;
    std::vector<UnigramPiece> pieces_;
};

}  // namespace

Result<std::vector<UnigramPiece>> learn_unigram(const std::vector<CountedWord>& words,
                                                const TrainTokenizerOptions& options,
                                                const TrainTokenizerProgress& progress) {
    return Learning(words, options, progress).run();
}

}  // namespace rootstock
