#include <algorithm>
#include <queue>
#include <set>
#include <unordered_map>

#include "data/text/utf8.h"
#include "data/tokenizer/trainers.h"

namespace rootstock {
namespace {

using Symbols = std::vector<std::int32_t>;
using Key = std::uint64_t;

Key key_of(std::int32_t left, std::int32_t right) {
    return Key{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

// A pair that waits to be merged: the most frequent first, then the one whose tokens are older.
struct Candidate {
    std::uint64_t count = 0;
    Key pair = 0;
    bool operator<(const Candidate& other) const {
        return count != other.count ? count < other.count : pair > other.pair;
    }
};

class Learning {
public:
    Learning(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options, std::string prefix)
        : words_(words), options_(options), prefix_(std::move(prefix)) {}

    Result<LearnedBpe> run(const std::vector<std::string>& alphabet, const TrainTokenizerProgress& progress) {
        for (const auto& token : options_.special_tokens) token_id(token);
        ROOTSTOCK_CHECKED(start(alphabet));
        count_pairs();
        while (learned_.tokens.size() < options_.vocabulary_size && merge_next())
            if (progress) progress("learning merges", learned_.tokens.size(), options_.vocabulary_size);
        return std::move(learned_);
    }

private:
    std::int32_t token_id(const std::string& token) {
        auto [place, added] = ids_.try_emplace(token, static_cast<std::int32_t>(learned_.tokens.size()));
        if (added) learned_.tokens.push_back(token);
        return place->second;
    }

    // The alphabet in the order of its characters, then the words in it.
    Result<void> start(const std::vector<std::string>& alphabet) {
        std::set<std::string> characters(alphabet.begin(), alphabet.end());
        auto each = [&](const std::string& word, auto take) {
            for (std::size_t at = 0; at < word.size();) {
                auto length = decode_utf8(std::string_view(word).substr(at)).length;
                take((at > 0 ? prefix_ : "") + word.substr(at, length));
                at += length;
            }
        };
        for (const auto& word : words_) each(word.word, [&](std::string one) { characters.insert(std::move(one)); });
        for (const auto& one : characters) token_id(one);
        if (learned_.tokens.size() > options_.vocabulary_size)
            return fail(ErrorCode::invalid_argument,
                        "the text needs " + std::to_string(learned_.tokens.size()) +
                            " tokens for its characters and special tokens alone; ask for a larger vocabulary",
                        "vocabulary_size");
        symbols_.resize(words_.size());
        for (std::size_t w = 0; w < words_.size(); ++w)
            each(words_[w].word, [&](const std::string& one) { symbols_[w].push_back(ids_.at(one)); });
        return {};
    }

    // `word`: where the pair is new.
    void change(Key pair, std::int64_t by, std::optional<std::size_t> word) {
        auto& entry = pairs_[pair];
        entry.count += by;
        if (word) entry.words.push_back(static_cast<std::uint32_t>(*word));
    }

    void count_pairs() {
        for (std::size_t w = 0; w < symbols_.size(); ++w)
            for (std::size_t i = 0; i + 1 < symbols_[w].size(); ++i)
                change(key_of(symbols_[w][i], symbols_[w][i + 1]), static_cast<std::int64_t>(words_[w].count), w);
        for (const auto& [pair, entry] : pairs_) queue_.push({static_cast<std::uint64_t>(entry.count), pair});
    }

    bool merge_next() {
        while (!queue_.empty()) {
            auto top = queue_.top();
            queue_.pop();
            auto& entry = pairs_[top.pair];
            auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(entry.count, 0));
            if (count != top.count) {  // it has changed since
                if (count > 0) queue_.push({count, top.pair});
                continue;
            }
            if (count < std::max<std::uint64_t>(options_.frequency_min, 1)) return false;
            merge(top.pair);
            return true;
        }
        return false;
    }

    void merge(Key pair) {
        auto left = static_cast<std::int32_t>(pair >> 32), right = static_cast<std::int32_t>(pair & 0xFFFFFFFF);
        auto first = learned_.tokens[static_cast<std::size_t>(left)];
        auto second = learned_.tokens[static_cast<std::size_t>(right)];
        auto whole = token_id(first + second.substr(prefix_.size() <= second.size() ? prefix_.size() : 0));
        learned_.merges.emplace_back(std::move(first), std::move(second));
        auto words = std::move(pairs_[pair].words);
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        std::set<Key> grown;
        for (auto w : words) merge_in(w, left, right, whole, grown);
        pairs_.erase(pair);
        grown.erase(pair);
        for (auto key : grown)
            if (auto found = pairs_.find(key); found != pairs_.end() && found->second.count > 0)
                queue_.push({static_cast<std::uint64_t>(found->second.count), key});
    }

    void merge_in(std::size_t w, std::int32_t left, std::int32_t right, std::int32_t whole, std::set<Key>& grown) {
        auto& old = symbols_[w];
        auto count = static_cast<std::int64_t>(words_[w].count);
        Symbols now;
        for (std::size_t i = 0; i < old.size(); ++i) {
            bool pair = i + 1 < old.size() && old[i] == left && old[i + 1] == right;
            now.push_back(pair ? whole : old[i]);
            i += pair;
        }
        if (now.size() == old.size()) return;
        for (std::size_t i = 0; i + 1 < old.size(); ++i) change(key_of(old[i], old[i + 1]), -count, std::nullopt);
        for (std::size_t i = 0; i + 1 < now.size(); ++i) {
            auto key = key_of(now[i], now[i + 1]);
            bool fresh = now[i] == whole || now[i + 1] == whole;
            change(key, count, fresh ? std::optional(w) : std::nullopt);
            if (fresh) grown.insert(key);
        }
        old = std::move(now);
    }

    struct Entry {
        std::int64_t count = 0;
        std::vector<std::uint32_t> words;  // where it occurs, or did
    };

    const std::vector<CountedWord>& words_;
    const TrainTokenizerOptions& options_;
    std::string prefix_;
    LearnedBpe learned_;
    std::unordered_map<std::string, std::int32_t> ids_;
    std::vector<Symbols> symbols_;
    std::unordered_map<Key, Entry> pairs_;
    std::priority_queue<Candidate> queue_;
};

}  // namespace

Result<LearnedBpe> learn_bpe(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options,
                             const std::string& prefix, const std::vector<std::string>& alphabet,
                             const TrainTokenizerProgress& progress) {
    return Learning(words, options, prefix).run(alphabet, progress);
}

}  // namespace rootstock
