#pragma once
// Learning a tokenizer from raw text: how often each word occurs is counted, then a vocabulary is learned from the
// counts, and the result is a tokenizer.json that the reference library reads.
//
//   bpe        byte-level BPE as GPT-2's: the most frequent pair of neighbours becomes a token, again and again
//   wordpiece  BERT's words; pairs are merged in the same way and written with "##" inside words, as the reference
//              learns WordPiece
//   unigram    Kudo (2018): many candidate pieces, their probabilities by expectation maximisation, the least useful
//              pruned until the vocabulary is small enough
//
// The same text gives the same tokenizer, on every machine.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock {

enum class TokenizerKind { bpe, wordpiece, unigram };

struct TrainTokenizerOptions {
    TokenizerKind kind = TokenizerKind::bpe;
    std::size_t vocabulary_size = 8000;       // special tokens and alphabet included
    std::uint64_t frequency_min = 2;          // bpe, wordpiece: pairs that occur less often are not merged
    bool lowercase = true;                    // wordpiece
    std::vector<std::string> special_tokens;  // empty: those that the kind usually has
    std::size_t word_types_max = 20'000'000;  // distinct words kept in memory
};

// What is being done, for a progress bar: done of total (0: unknown).
using TrainTokenizerProgress = std::function<void(const char* stage, std::uint64_t done, std::uint64_t total)>;

// The text of a tokenizer.json. invalid_argument: no usable text, a vocabulary too small for its alphabet, text that is
// not UTF-8 (file and line). too_large: more distinct words than word_types_max.
Result<std::string> train_tokenizer(const std::vector<std::filesystem::path>& files,
                                    const TrainTokenizerOptions& options, const TrainTokenizerProgress& progress = {});

}  // namespace rootstock
