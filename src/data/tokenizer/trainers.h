#pragma once
// The learning itself, from counted words. Private to the tokenizer's folder.

#include "data/tokenizer/bpe.h"
#include "data/tokenizer/train_tokenizer.h"
#include "data/tokenizer/unigram.h"

namespace rootstock {

struct CountedWord {
    std::string word;
    std::uint64_t count = 0;
};

struct LearnedBpe {
    std::vector<std::string> tokens;  // in order of their ids
    std::vector<Merge> merges;
};

// `prefix` stands before every character but the first of a word ("##"); `alphabet` is there whatever the words hold.
Result<LearnedBpe> learn_bpe(const std::vector<CountedWord>& words, const TrainTokenizerOptions& options,
                             const std::string& prefix, const std::vector<std::string>& alphabet,
                             const TrainTokenizerProgress& progress);

// The special tokens come first, with score 0; the first is the unknown one.
Result<std::vector<UnigramPiece>> learn_unigram(const std::vector<CountedWord>& words,
                                                const TrainTokenizerOptions& options,
                                                const TrainTokenizerProgress& progress);

}  // namespace rootstock
