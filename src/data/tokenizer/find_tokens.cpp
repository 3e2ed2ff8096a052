#include "data/tokenizer/find_tokens.h"

#include <utility>

#include "data/text/utf8.h"

namespace rootstock {
namespace {

constexpr std::size_t scratch_kept = std::size_t{1} << 20;  // a thread keeps no more memory than this

// Buffers of one thread, so that the fast path allocates nothing.
struct Scratch {
    std::vector<Segment> outer, inner;
    TextBuffer normalized, rewritten[2];
    std::vector<ByteSpan> words, next_words;
    std::vector<Piece> pieces;

    void shrink() {
        auto bytes = normalized.bytes.capacity() + rewritten[0].bytes.capacity() + rewritten[1].bytes.capacity() +
                     (words.capacity() + next_words.capacity()) * sizeof(ByteSpan) + pieces.capacity() * sizeof(Piece);
        if (bytes > scratch_kept) *this = {};
    }
};

// Spans count in 32 bits, and a rewriting may make a text longer.
void check_size(TextView text) {
    if (text.bytes.size() > UINT32_MAX)
        throw TokenizingFault{
            {ErrorCode::too_large, "the text grows beyond 4 GiB when it is normalised; split it", "", ""}};
}

TextView part(TextView text, ByteSpan bytes) {
    auto size = bytes.end - bytes.begin;
    if (text.origin.empty()) return {text.bytes.substr(bytes.begin, size), {}, 0};
    return {text.bytes.substr(bytes.begin, size), text.origin.subspan(bytes.begin, size),
            text.origin[bytes.begin].begin};
}

void split_or_whole(const AddedTokenMatcher& matcher, std::string_view text, std::vector<Segment>& segments) {
    segments.clear();
    if (!matcher.empty()) return matcher.split(text, segments);
    if (!text.empty()) segments.push_back({{0, static_cast<std::uint32_t>(text.size())}, -1});
}

// Runs the pre-tokenizers one after the other: scratch.words holds the words of the text that is returned.
TextView split_words(const TokenizerParts& parts, TextView text, Scratch& scratch) {
    scratch.words.assign(1, byte_span(0, text.bytes.size()));
    std::size_t turn = 0;
    for (const auto& step : parts.pre_tokenizers) {
        scratch.next_words.clear();
        if (step->rewrites()) {
            auto& buffer = scratch.rewritten[turn ^= 1];
            buffer.clear();
            buffer.start = text.start;
            step->rewrite(text, scratch.words, buffer, scratch.next_words);
            text = buffer.view();
            check_size(text);
        } else {
            for (auto word : scratch.words) step->split(text.bytes, word, scratch.next_words);
        }
        std::swap(scratch.words, scratch.next_words);
    }
    return text;
}

void tokenize_words(const TokenizerParts& parts, TextView text, Scratch& scratch, FoundTokens& found) {
    if (text.bytes.empty()) return;
    text = split_words(parts, text, scratch);
    scratch.pieces.clear();
    for (auto word : scratch.words) parts.model->tokenize(text.bytes, word, scratch.pieces);
    auto unknown = parts.model->shows_unknown() ? parts.model->unknown_id() : std::nullopt;
    for (const auto& piece : scratch.pieces) {
        if (unknown && piece.id == *unknown) found.spell(piece.bytes.of(text.bytes));
        found.add(piece.id, piece.bytes, text.origin);
    }
}

void tokenize_segment(const TokenizerParts& parts, TextView text, Scratch& scratch, FoundTokens& found) {
    if (parts.normalizer) {
        scratch.normalized.clear();
        scratch.normalized.start = text.start;
        parts.normalizer->normalize(text, scratch.normalized);
        text = scratch.normalized.view();
        check_size(text);
    }
    split_or_whole(parts.after_normalizing, text.bytes, scratch.inner);
    for (const auto& segment : scratch.inner) {
        auto piece = part(text, segment.bytes);
        if (segment.id < 0) {
            tokenize_words(parts, piece, scratch, found);
            continue;
        }
        found.spell(piece.bytes);
        found.add(segment.id, {0, segment.bytes.end - segment.bytes.begin}, piece.origin);
    }
}

}  // namespace

void find_tokens(const TokenizerParts& parts, TextView text, FoundTokens found) {
    thread_local Scratch scratch;
    split_or_whole(parts.before_normalizing, text.bytes, scratch.outer);
    for (const auto& segment : scratch.outer) {
        auto piece = part(text, segment.bytes);
        if (segment.id < 0) {
            tokenize_segment(parts, piece, scratch, found);
            continue;
        }
        found.spell(piece.bytes);
        found.add(segment.id, {0, segment.bytes.end - segment.bytes.begin}, piece.origin);
    }
    scratch.shrink();
}

void each_word(const TokenizerParts& parts, std::string_view text, const std::function<void(std::string_view)>& take) {
    if (text.empty()) return;
    Scratch scratch;
    TextView view{text, {}, 0};
    std::vector<CharSpan> origin;
    if (parts.needs_origin) view.origin = origin = identity_origin(text);
    if (parts.normalizer) {
        parts.normalizer->normalize(view, scratch.normalized);
        view = scratch.normalized.view();
    }
    view = split_words(parts, view, scratch);
    for (auto word : scratch.words) take(word.of(view.bytes));
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
