#include "data/tokenizer/find_tokens.h"

#include "data/text/utf8.h"

namespace rootstock {
namespace {

constexpr std::size_t scratch_kept = std::size_t{1} << 20;  // a thread keeps no more memory than this

// Buffers of one thread, so that the fast path allocates nothing.
struct Scratch {
    std::vector<Segment> outer, inner;
    TextBuffer normalized;
    std::vector<ByteSpan> words;
    std::vector<Piece> pieces;

    void shrink() {
        if (normalized.bytes.capacity() + words.capacity() * sizeof(ByteSpan) > scratch_kept) *this = {};
    }
};

TextView part(TextView text, ByteSpan bytes) {
    auto size = bytes.end - bytes.begin;
    return {text.bytes.substr(bytes.begin, size),
            text.origin.empty() ? text.origin : text.origin.subspan(bytes.begin, size)};
}

void split_or_whole(const AddedTokenMatcher& matcher, std::string_view text, std::vector<Segment>& segments) {
    segments.clear();
    if (!matcher.empty()) return matcher.split(text, segments);
    if (!text.empty()) segments.push_back({{0, static_cast<std::uint32_t>(text.size())}, -1});
}

void tokenize_words(const TokenizerParts& parts, TextView text, Scratch& scratch, FoundTokens& found) {
    scratch.words.clear();
    scratch.pieces.clear();
    if (parts.pre_tokenizer)
        parts.pre_tokenizer->split(text.bytes, scratch.words);
    else if (!text.bytes.empty())
        scratch.words.push_back({0, static_cast<std::uint32_t>(text.bytes.size())});
    for (auto word : scratch.words) parts.model->tokenize(text.bytes, word, scratch.pieces);
    for (const auto& piece : scratch.pieces) found.add(piece.id, piece.bytes, text.origin);
}

void tokenize_segment(const TokenizerParts& parts, TextView text, Scratch& scratch, FoundTokens& found) {
    if (parts.normalizer) {
        scratch.normalized.clear();
        parts.normalizer->normalize(text, scratch.normalized);
        text = scratch.normalized.view();
    }
    split_or_whole(parts.after_normalizing, text.bytes, scratch.inner);
    for (const auto& segment : scratch.inner) {
        auto piece = part(text, segment.bytes);
        if (segment.id < 0)
            tokenize_words(parts, piece, scratch, found);
        else
            found.add(segment.id, {0, segment.bytes.end - segment.bytes.begin}, piece.origin);
    }
}

}  // namespace

void find_tokens(const TokenizerParts& parts, TextView text, FoundTokens found) {
    thread_local Scratch scratch;
    split_or_whole(parts.before_normalizing, text.bytes, scratch.outer);
    for (const auto& segment : scratch.outer) {
        auto piece = part(text, segment.bytes);
        if (segment.id < 0)
            tokenize_segment(parts, piece, scratch, found);
        else
            found.add(segment.id, {0, segment.bytes.end - segment.bytes.begin}, piece.origin);
    }
    scratch.shrink();
}

std::vector<CharSpan> identity_origin(std::string_view text) {
    std::vector<CharSpan> origin(text.size());
    std::int32_t index = -1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_continuation_byte(text[i])) ++index;
        origin[i] = {index, index + 1};
    }
    return origin;
}

}  // namespace rootstock
