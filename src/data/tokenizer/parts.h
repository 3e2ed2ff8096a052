#pragma once
// Everything a Tokenizer consists of, as json_*.cpp reads it and tokenizer.cpp uses it.

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/pieces.h"

namespace rootstock {

struct TokenizerParts {
    std::unique_ptr<Normalizer> normalizer;                     // null: the text stays as it is
    std::vector<std::unique_ptr<PreTokenizer>> pre_tokenizers;  // one after the other; none: the text is one word
    bool needs_origin = false;                                  // of any of them
    std::unique_ptr<TokenModel> model;                          // never null
    std::unique_ptr<Decoder> decoder;                           // never null
    PostProcessor post_processor;
    AddedTokens added;
    AddedTokenMatcher before_normalizing;
    AddedTokenMatcher after_normalizing;
    std::optional<FilePadding> padding;
    std::optional<FileTruncation> truncation;
    std::string pad_token = "[PAD]", cls_token = "[CLS]", sep_token = "[SEP]";
    std::int32_t file_max_tokens = 0;
};

// From the text of a tokenizer.json.
Result<TokenizerParts> read_tokenizer_json(std::string_view text, std::string_view what);

// From vocab.json and merges.txt, as GPT-2 and RoBERTa were published.
Result<TokenizerParts> read_byte_level_folder(const std::filesystem::path& folder);

// From a SentencePiece model (spiece.model, tokenizer.model), bytes of the file.
Result<TokenizerParts> read_sentencepiece_folder(const std::filesystem::path& folder,
                                                 const std::filesystem::path& file);

// From vocab.txt, one token a line, with the settings of tokenizer_config.json beside it (BERT's own, uncased, where
// there is none).
Result<TokenizerParts> read_vocabulary_folder(const std::filesystem::path& folder);

// What tokenizer_config.json adds to a tokenizer.json: names of special tokens, longest input. No file: no change.
Result<void> apply_tokenizer_config(const std::filesystem::path& folder, TokenizerParts& parts);

}  // namespace rootstock
