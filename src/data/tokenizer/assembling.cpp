#include "data/tokenizer/assembling.h"

#include <algorithm>

#include "data/text/bert_classes.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

using Kind = TemplateStep::Kind;

bool blank(std::int32_t code_point) {
    constexpr std::int32_t byte_level_space = 0x120;  // "Ġ"
    return code_point == byte_level_space || (bert_class(code_point) & bert_white_space);
}

// Characters of white space at the beginning and at the end of a token.
std::pair<std::int32_t, std::int32_t> blanks_around(std::string_view token) {
    std::int32_t leading = 0, trailing = 0;
    bool only = true;
    for (std::size_t at = 0; at < token.size();) {
        auto decoded = decode_utf8(token.substr(at));
        bool is_blank = blank(decoded.code_point);
        if (only && is_blank) ++leading;
        only = only && is_blank;
        trailing = is_blank ? trailing + 1 : 0;
        at += decoded.length;
    }
    return {leading, trailing};
}

// `prefix_space`: a space was put before the first word, which has no place in the input to be trimmed.
void trim_offsets(const Tokenizer& tokenizer, bool prefix_space, BareTokens& tokens) {
    auto next = tokens.spelled.begin();
    for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
        bool spelled = next != tokens.spelled.end() && next->first == i;
        auto token = spelled ? std::string_view((next++)->second) : tokenizer.token(tokens.ids[i]);
        auto [leading, trailing] = blanks_around(token);
        auto& span = tokens.offsets[i];
        if (leading > 0) {
            bool first = i == 0 || span.begin == 0;
            if (first && prefix_space && leading == 1) leading = 0;
            span.begin = std::min(span.begin + leading, span.end);
        }
        if (trailing > 0 && span.end >= trailing) span.end = std::max(span.end - trailing, span.begin);
    }
}

void append_special(const TemplateStep& step, Encoding& out) {
    for (std::size_t i = 0; i < step.ids.size(); ++i) {
        out.ids.push_back(step.ids[i]);
        out.type_ids.push_back(step.type_id);
        out.tokens.push_back(step.tokens[i]);
        out.offsets.push_back({0, 0});
        out.special.push_back(1);
    }
}

void append_text(const Tokenizer& tokenizer, const BareTokens& bare, std::int32_t type_id, Encoding& out) {
    auto next = bare.spelled.begin();
    for (std::size_t i = 0; i < bare.ids.size(); ++i) {
        out.ids.push_back(bare.ids[i]);
        out.type_ids.push_back(type_id);
        bool spelled = next != bare.spelled.end() && next->first == i;
        out.tokens.emplace_back(spelled ? std::string_view((next++)->second) : tokenizer.token(bare.ids[i]));
        out.offsets.push_back(bare.offsets[i]);
        out.special.push_back(0);
    }
}

}  // namespace

BareTokens cut(const BareTokens& tokens, TokenRange range) {
    auto begin = static_cast<std::ptrdiff_t>(range.begin), end = static_cast<std::ptrdiff_t>(range.end);
    BareTokens part{{tokens.ids.begin() + begin, tokens.ids.begin() + end},
                    {tokens.offsets.begin() + begin, tokens.offsets.begin() + end},
                    {}};
    for (const auto& [at, text] : tokens.spelled)
        if (at >= range.begin && at < range.end) part.spelled.emplace_back(at - range.begin, text);
    return part;
}

std::size_t count_special(const std::vector<TemplateStep>& steps) {
    std::size_t count = 0;
    for (const auto& step : steps) count += step.ids.size();
    return count;
}

Encoding assembled(const Tokenizer& tokenizer, const TokenizerParts& parts, const std::vector<TemplateStep>& steps,
                   bool with_special, BareTokens first, BareTokens second) {
    for (bool prefix_space : parts.post_processor.trims) {
        trim_offsets(tokenizer, prefix_space, first);
        trim_offsets(tokenizer, prefix_space, second);
    }
    Encoding encoding;
    for (const auto& step : steps) {
        if (step.kind == Kind::first_text) append_text(tokenizer, first, step.type_id, encoding);
        if (step.kind == Kind::second_text) append_text(tokenizer, second, step.type_id, encoding);
        if (step.kind == Kind::special && with_special) append_special(step, encoding);
    }
    return encoding;
}

}  // namespace rootstock
