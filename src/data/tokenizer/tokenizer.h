#pragma once
// Text to token ids and back, read from the files that a model brings along.
//
// A tokenizer is five small pieces in a row, as in the reference library (Hugging Face tokenizers): the text is
// cut at added tokens ("[MASK]"), the pieces between are normalised (BERT: clean, separate Chinese characters,
// strip accents, lower-case), split into words (BERT: white space and punctuation), each word is split by the
// model (WordPiece: longest match first; Schuster and Nakajima, 2012; Devlin et al., 2018), and a template adds
// [CLS] and [SEP]. Ids and offsets equal the reference on every line of the golden files.
//
// A Tokenizer is immutable, cheap to copy and safe to use from many threads.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct TokenizerParts;  // the pieces; private to data/tokenizer

// Where a token came from: Unicode code points of the input text, end exclusive. A special token that a
// template added has {0, 0}.
struct CharSpan {
    std::int32_t begin = 0;
    std::int32_t end = 0;
    bool operator==(const CharSpan&) const = default;
};

// One text (or pair of texts) as tokens. All vectors have the same length.
struct Encoding {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> type_ids;  // 0 first text, 1 second text
    std::vector<std::string> tokens;     // as the vocabulary spells them ("##ing")
    std::vector<CharSpan> offsets;       // each within its own text of a pair
    std::vector<std::uint8_t> special;   // 1 where a template added the token
    std::size_t full_tokens = 0;         // length before truncation, special tokens included when added
};

// Which text of a pair loses its last tokens. For a single text all three mean the same, except that
// only_second cannot shorten anything then (invalid_argument when it would have to).
enum class Truncation { longest_first, only_first, only_second };

struct EncodeOptions {
    bool add_special_tokens = true;
    std::int32_t max_tokens = 0;  // 0: no limit; else cut to this length, special tokens included
    Truncation truncation = Truncation::longest_first;
};

class Tokenizer {
public:
    // Reads folder/tokenizer.json, else folder/vocab.txt with folder/tokenizer_config.json (which may be absent).
    // not_found: neither is there. unsupported: a component type this build does not know, by name.
    // corrupt: the files contradict themselves.
    static Result<Tokenizer> load(const std::filesystem::path& folder);

    // The same from the text of a tokenizer.json; `what` names it in messages.
    static Result<Tokenizer> parse(std::string_view json_text, std::string_view what);

    // invalid_argument: the text is not valid UTF-8 (the sentence gives the byte), or max_tokens leaves no room
    // for the special tokens.
    Result<Encoding> encode(std::string_view text, const EncodeOptions& options = {}) const;
    Result<Encoding> encode_pair(std::string_view first, std::string_view second,
                                 const EncodeOptions& options = {}) const;

    // The fast path of serving and training: appends the ids of one text to `ids` and returns the length before
    // truncation. No strings, no offsets, no allocation besides growing `ids`. Nothing is appended on error.
    Result<std::size_t> encode_ids(std::string_view text, const EncodeOptions& options,
                                   std::vector<std::int32_t>& ids) const;

    // Text again: pieces joined and spaces cleaned up as the tokenizer's decoder says. Unknown ids are skipped.
    std::string decode(std::span<const std::int32_t> ids, bool skip_special = true) const;

    std::optional<std::int32_t> token_id(std::string_view token) const;  // exact spelling, added tokens included
    std::string_view token(std::int32_t id) const;                       // empty when there is no such id
    std::size_t vocabulary_size() const;                                 // added tokens included

    // The tokens BERT-like models name; nothing when the vocabulary has none.
    std::optional<std::int32_t> pad_id() const;
    std::optional<std::int32_t> cls_id() const;
    std::optional<std::int32_t> sep_id() const;
    std::optional<std::int32_t> unknown_id() const;

    // What the files say about length (tokenizer.json "truncation", else tokenizer_config.json
    // "model_max_length"); 0: nothing. Never applied by itself: EncodeOptions rule.
    std::int32_t file_max_tokens() const;

    // How many tokens the template adds to a single text ([CLS] and [SEP]: 2).
    std::size_t special_tokens_added() const;

private:
    explicit Tokenizer(std::shared_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {}
    static Tokenizer from_parts(TokenizerParts parts);
    Result<Encoding> encode_texts(std::string_view first, std::optional<std::string_view> second,
                                  const EncodeOptions& options) const;

    std::shared_ptr<const TokenizerParts> parts_;
};

}  // namespace rootstock
