#pragma once
// The five kinds of pieces a tokenizer is made of, in the order text meets them. A new type of tokenizer.json is a new
// class behind one of these and a line in the reader of its kind (json_*.cpp).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/piece_table.h"
#include "data/tokenizer/tokenizer.h"

namespace rootstock {

// Text on its way, and per byte the code points of the input it came from. `origin` is empty when nobody asked for
// offsets: the fast path. `start` is where the whole stretch began in the input.
struct TextView {
    std::string_view bytes;
    std::span<const CharSpan> origin;
    std::int32_t start = 0;
};

struct TextBuffer {
    std::string bytes;
    std::vector<CharSpan> origin;
    std::int32_t start = 0;

    TextView view() const { return {bytes, origin, start}; }
    void clear() { bytes.clear(), origin.clear(); }
};

struct ByteSpan {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

inline ByteSpan byte_span(std::size_t begin, std::size_t end) {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

// A token found in a text, by the bytes it covers.
struct Piece {
    std::int32_t id = 0;
    ByteSpan bytes;
};

// Thrown where a piece cannot go on with this text (a pattern passes its limits; a vocabulary has no token for what it
// does not know) and caught in Tokenizer alone, so that the hot path carries no results around.
struct TokenizingFault {
    Error error;
};

// Rewrites text. Input is valid UTF-8, and so is what is appended to `out`.
class Normalizer {
public:
    virtual ~Normalizer() = default;
    virtual void normalize(TextView in, TextBuffer& out) const = 0;
};

// Cuts words into smaller ones; what is left out is dropped. A step either only cuts (split), or writes the text of
// its words anew and cuts that (rewrite; ByteLevel and Metaspace do so).
class PreTokenizer {
public:
    virtual ~PreTokenizer() = default;

    // Appends the words within `word` to `words`.
    virtual void split(std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) const = 0;

    virtual bool rewrites() const { return false; }
    virtual bool needs_origin() const { return false; }
    // Appends the new text to `out` and its words to `out_words`, which count from the beginning of `out`.
    virtual void rewrite(TextView in, std::span<const ByteSpan> words, TextBuffer& out,
                         std::vector<ByteSpan>& out_words) const {
        out.bytes += in.bytes;
        out.origin.insert(out.origin.end(), in.origin.begin(), in.origin.end());
        out_words.insert(out_words.end(), words.begin(), words.end());
    }
};

// Splits words into tokens of its vocabulary. Appends to `pieces`.
class TokenModel {
public:
    virtual ~TokenModel() = default;
    virtual void tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const = 0;
    virtual const Vocabulary& vocabulary() const = 0;
    virtual std::optional<std::int32_t> unknown_id() const = 0;
    virtual bool shows_unknown() const { return false; }  // an unknown token is spelled as the text it stands for

    std::optional<std::int32_t> id(std::string_view token) const { return vocabulary().id(token); }
    std::string_view token(std::int32_t id) const { return vocabulary().token(id); }
};

// Puts special tokens around one text or a pair: a list to be read from left to right.
struct TemplateStep {
    enum class Kind { first_text, second_text, special } kind = Kind::first_text;
    std::int32_t type_id = 0;
    std::vector<std::int32_t> ids = {};  // of a special token
    std::vector<std::string> tokens;     // likewise
};

struct PostProcessor {
    std::vector<TemplateStep> single{{TemplateStep::Kind::first_text, 0, {}, {}}};
    std::vector<TemplateStep> pair{{TemplateStep::Kind::first_text, 0, {}, {}},
                                   {TemplateStep::Kind::second_text, 1, {}, {}}};
    // Leaves the white space of a token out of its offsets, once per member; true: where a space was put before the
    // first word, that one stays.
    std::vector<bool> trims;
};

// One step from tokens back to text. It takes pieces one by one and gives out what is settled; finish() gives the
// rest. Decoding a whole text and streaming are the same thing.
class DecodeStage {
public:
    virtual ~DecodeStage() = default;
    virtual void push(std::string_view piece, std::vector<std::string>& out) = 0;
    virtual void finish(std::vector<std::string>& out) = 0;
};

class Decoder {
public:
    virtual ~Decoder() = default;
    // A fresh stage. `fused`: all its pieces will be parts of one token, cut anywhere between characters.
    virtual std::unique_ptr<DecodeStage> stage(bool fused) const = 0;
    virtual bool fuses() const { return false; }  // gives out parts of one token

    // The bytes that a token adds to a text: `first` of it, or later. Nothing where tokens that follow decide.
    virtual std::optional<std::string> bytes_of(std::string_view piece, bool first, bool fused) const;
};

}  // namespace rootstock
