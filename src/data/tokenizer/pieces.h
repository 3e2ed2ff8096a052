#pragma once
// The five kinds of pieces a tokenizer is made of, in the order text meets them. A new type of tokenizer.json
// ("ByteLevel", "BPE", "Unigram", ...) is a new class behind one of these and a line in tokenizer_file.cpp.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace rootstock {

// Text on its way, and per byte the code points of the input it came from. `origin` is empty when nobody asked for
// offsets: the fast path.
struct TextView {
    std::string_view bytes;
    std::span<const CharSpan> origin;
};

struct TextBuffer {
    std::string bytes;
    std::vector<CharSpan> origin;

    TextView view() const { return {bytes, origin}; }
    void clear() { bytes.clear(), origin.clear(); }
};

struct ByteSpan {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

// A token found in a text, by the bytes it covers.
struct Piece {
    std::int32_t id = 0;
    ByteSpan bytes;
};

// Rewrites text. Input is valid UTF-8, and so is what is appended to `out`.
class Normalizer {
public:
    virtual ~Normalizer() = default;
    virtual void normalize(TextView in, TextBuffer& out) const = 0;
};

// Cuts text into words; what stands between words is dropped. Appends to `words`.
class PreTokenizer {
public:
    virtual ~PreTokenizer() = default;
    virtual void split(std::string_view text, std::vector<ByteSpan>& words) const = 0;
};

// Splits words into tokens of its vocabulary. Appends to `pieces`.
class TokenModel {
public:
    virtual ~TokenModel() = default;
    virtual void tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const = 0;
    virtual std::optional<std::int32_t> id(std::string_view token) const = 0;
    virtual std::string_view token(std::int32_t id) const = 0;  // empty when there is none
    virtual std::size_t size() const = 0;
    virtual std::optional<std::int32_t> unknown_id() const = 0;
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
};

// Tokens back to text.
class Decoder {
public:
    virtual ~Decoder() = default;
    virtual std::string decode(std::span<const std::string_view> tokens) const = 0;
};

}  // namespace rootstock
