#pragma once
// Text to token ids and back, read from the files that a model brings along.
//
// A tokenizer is five small pieces in a row, as in the reference library (Hugging Face tokenizers): the text is
// cut at added tokens ("[MASK]"), the pieces between are normalised (BERT: clean, separate Chinese characters,
// strip accents, lower-case), split into words (BERT: white space and punctuation), each word is split by the
// model (WordPiece, BPE, Unigram or WordLevel), and a template adds [CLS] and [SEP]. Ids and offsets equal the
// reference's on every line of the golden files.
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
    std::vector<Encoding> overflowing;   // with `overflow`: what truncation cut off, in encodings of the same length
};

// Which text of a pair loses its last tokens. For a single text all three mean the same, except that
// only_second cannot shorten anything then (invalid_argument when it would have to).
enum class Truncation { longest_first, only_first, only_second };

struct EncodeOptions {
    bool add_special_tokens = true;
    std::int32_t max_tokens = 0;  // 0: no limit; else cut to this length, special tokens included
    Truncation truncation = Truncation::longest_first;
    bool keep_end = false;    // cut at the beginning of the text, not at its end
    bool overflow = false;    // also give what is cut off (encode and encode_pair)
    std::int32_t stride = 0;  // tokens that neighbouring parts of the overflow share
};

// What a file says about padding. Never applied by itself: packed batches need none.
struct FilePadding {
    std::int32_t id = 0, type_id = 0;
    std::string token;
    bool on_the_left = false;
    std::int32_t length = 0;    // 0: to the longest of a batch
    std::int32_t multiple = 0;  // 0: any length
};

// What a file says about truncation. Never applied by itself: EncodeOptions rule.
struct FileTruncation {
    std::int32_t max_tokens = 0, stride = 0;
    Truncation strategy = Truncation::longest_first;
    bool keep_end = false;
};

class Tokenizer {
public:
    // Reads folder/tokenizer.json, else vocab.txt, vocab.json with merges.txt, or a SentencePiece model (spiece.model,
    // tokenizer.model), each with tokenizer_config.json (which may be absent).
    // not_found: none of them is there. unsupported: a component type this build does not know, by name.
    // corrupt: the files contradict themselves.
    static Result<Tokenizer> load(const std::filesystem::path& folder);

    // One file: a tokenizer.json, a SentencePiece model (*.model), or vocab.txt; a folder as above.
    static Result<Tokenizer> load_file(const std::filesystem::path& path);

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
    // (TextStream, text_stream.h, does the same id by id.)
    std::string decode(std::span<const std::int32_t> ids, bool skip_special = true) const;

    std::optional<std::int32_t> token_id(std::string_view token) const;  // exact spelling, added tokens included
    std::string_view token(std::int32_t id) const;                       // empty when there is no such id
    std::size_t vocabulary_size() const;                                 // added tokens included

    // The bytes that an id adds to a decoded text, as its first token or later: one of a character's bytes ("<0xE4>"),
    // a word with its space. Empty for special tokens and ids that do not exist, which decode() leaves out. Nothing
    // where the tokens that follow decide (decoders with a suffix, CTC).
    std::optional<std::string> bytes_in_text(std::int32_t id, bool first) const;
    std::size_t id_end() const;  // one more than the highest id

    // The tokens BERT-like models name; nothing when the vocabulary has none.
    std::optional<std::int32_t> pad_id() const;
    std::optional<std::int32_t> cls_id() const;
    std::optional<std::int32_t> sep_id() const;
    std::optional<std::int32_t> unknown_id() const;

    // What the files say about length (tokenizer.json "truncation", else tokenizer_config.json
    // "model_max_length"); 0: nothing. Never applied by itself: EncodeOptions rule.
    std::int32_t file_max_tokens() const;

    const std::optional<FilePadding>& file_padding() const;
    const std::optional<FileTruncation>& file_truncation() const;

    // How many tokens the template adds to a single text ([CLS] and [SEP]: 2).
    std::size_t special_tokens_added() const;

private:
    friend class TextStream;
    explicit Tokenizer(std::shared_ptr<const TokenizerParts> parts) : parts_(std::move(parts)) {}
    static Result<Tokenizer> from_parts(TokenizerParts parts);
    Result<Encoding> encode_texts(std::string_view first, std::optional<std::string_view> second,
                                  const EncodeOptions& options) const;

    std::shared_ptr<const TokenizerParts> parts_;
};

}  // namespace rootstock
