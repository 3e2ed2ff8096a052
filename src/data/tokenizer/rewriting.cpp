#include "data/tokenizer/rewriting.h"

#include <algorithm>

#include "data/text/utf8.h"

namespace rootstock {
namespace {

std::size_t after_character(std::string_view text, std::size_t at) {
    if (at >= text.size()) return at;
    ++at;
    while (at < text.size() && is_continuation_byte(text[at])) ++at;
    return at;
}

}  // namespace

CharSpan place_before(TextView in, std::size_t at) {
    if (in.origin.empty()) return {};
    if (at == 0) return {in.start, in.start};
    return in.origin[std::min(at, in.origin.size()) - 1];
}

void append_from(std::string_view bytes, CharSpan origin, bool tracked, TextBuffer& out) {
    out.bytes += bytes;
    if (tracked) out.origin.resize(out.bytes.size(), origin);
}

void append_part(TextView in, std::size_t begin, std::size_t end, TextBuffer& out) {
    out.bytes += in.bytes.substr(begin, end - begin);
    if (in.origin.empty()) return;
    auto part = in.origin.subspan(begin, end - begin);
    out.origin.insert(out.origin.end(), part.begin(), part.end());
}

void rewrite_text(TextView in, std::span<const Rewritten> characters, TextBuffer& out) {
    if (in.origin.empty()) {
        for (const auto& one : characters) append_utf8(out.bytes, one.code_point);
        return;
    }
    std::size_t at = 0;
    for (const auto& one : characters) {
        bool inserted = one.change > 0 || at >= in.bytes.size();
        auto place = inserted ? place_before(in, at) : in.origin[at];
        if (one.change <= 0)
            for (std::int32_t taken = 0; taken <= -one.change; ++taken) at = after_character(in.bytes, at);
        append_utf8(out.bytes, one.code_point);
        out.origin.resize(out.bytes.size(), place);
    }
}

}  // namespace rootstock
