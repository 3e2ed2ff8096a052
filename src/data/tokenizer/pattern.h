#pragma once
// Regular expressions as tokenizer files write them (Oniguruma's Ruby syntax), run by PCRE2 with its just-in-time
// compiler. Spellings that mean something else in PCRE2 are translated; what cannot be translated is refused by name.

#include <memory>
#include <string>
#include <string_view>

#include "base/base.h"
#include "data/tokenizer/pieces.h"

namespace rootstock {

class Pattern {
public:
    // `what` names the file and piece. unsupported: a spelling this build does not translate. corrupt: no expression.
    static Result<Pattern> compile(std::string_view expression, std::string_view what);
    // Matches these bytes and nothing else.
    static Result<Pattern> literal(std::string_view text);

    // The first match at or after `from`, or nothing. Throws TokenizingFault when the limits on work are passed.
    std::optional<ByteSpan> find(std::string_view text, std::size_t from) const;

    // Calls take(begin, end) for every match, as the reference iterates: an empty match that touches the one before is
    // passed over.
    template <typename Take>
    void each_match(std::string_view text, Take take) const {
        std::size_t from = 0, last_end = std::string_view::npos;
        while (from <= text.size()) {
            auto match = find(text, from);
            if (!match) return;
            if (match->begin == match->end && match->end == last_end) {
                do ++from;
                while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80);
                continue;
            }
            take(std::size_t{match->begin}, std::size_t{match->end});
            from = last_end = match->end;
        }
    }

private:
    std::shared_ptr<const void> code_;  // pcre2_code
    bool jit_ = false;
};

// The same expression in PCRE2's spelling; unsupported: what has none, in words.
Result<std::string> translate_pattern(std::string_view expression);

// What stands between matches and what is done with the matches (Split and its kin).
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// A stretch of text, match or not, in order.
struct Stretch {
    ByteSpan bytes;
    bool match = false;
};

// Appends the words that `stretches` make under a behaviour, moved by `shift` bytes; empty ones are left out.
void join_stretches(std::span<const Stretch> stretches, SplitBehavior behavior, std::size_t shift,
                    std::vector<ByteSpan>& words);

}  // namespace rootstock
