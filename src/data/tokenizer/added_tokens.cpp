#include "data/tokenizer/added_tokens.h"

#include <algorithm>

#include "data/text/bert_classes.h"
#include "data/text/utf8.h"
#include "data/text/word_characters.h"

namespace rootstock {
namespace {

std::size_t begin_of_last(std::string_view text) {
    auto begin = text.size() - 1;
    while (begin > 0 && is_continuation_byte(text[begin])) --begin;
    return begin;
}

bool ends_with_word(std::string_view text) {
    return !text.empty() && is_word_character(decode_utf8(text.substr(begin_of_last(text))).code_point);
}

bool starts_with_word(std::string_view text) {
    return !text.empty() && is_word_character(decode_utf8(text).code_point);
}

bool is_white_space(std::int32_t code_point) { return bert_class(code_point) & bert_white_space; }

std::size_t without_spaces_at_end(std::string_view text) {
    while (!text.empty()) {
        auto begin = begin_of_last(text);
        if (!is_white_space(decode_utf8(text.substr(begin)).code_point)) break;
        text = text.substr(0, begin);
    }
    return text.size();
}

std::size_t spaces_at_start(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        auto decoded = decode_utf8(text.substr(at));
        if (!is_white_space(decoded.code_point)) break;
        at += decoded.length;
    }
    return at;
}

}  // namespace

void AddedTokens::add(AddedToken token) {
    by_id_[token.id] = tokens_.size();
    by_content_[token.content] = tokens_.size();
    tokens_.push_back(std::move(token));
}

const AddedToken* AddedTokens::by_id(std::int32_t id) const {
    auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

const AddedToken* AddedTokens::by_content(std::string_view content) const {
    if (tokens_.empty()) return nullptr;
    auto found = by_content_.find(std::string(content));
    return found == by_content_.end() ? nullptr : &tokens_[found->second];
}

void AddedTokenMatcher::add(std::string pattern, const AddedToken& token) {
    if (pattern.empty()) return;
    auto& seen = first_bytes_[static_cast<unsigned char>(pattern[0])];
    if (!seen) distinct_first_bytes_.push_back(pattern[0]);
    seen = true;
    patterns_.add(pattern, static_cast<std::int32_t>(tokens_.size()));
    tokens_.push_back(token);
}

std::size_t AddedTokenMatcher::next_candidate(std::string_view text, std::size_t at) const {
    if (distinct_first_bytes_.size() == 1) return std::min(text.find(distinct_first_bytes_[0], at), text.size());
    while (at < text.size() && !first_bytes_[static_cast<unsigned char>(text[at])]) ++at;
    return at;
}

AddedTokenMatcher::Match AddedTokenMatcher::match_at(std::string_view text, std::size_t at) const {
    Match match;
    patterns_.each_prefix(text.substr(at), [&](std::int32_t index, std::size_t length) {
        match = {&tokens_[static_cast<std::size_t>(index)], length};
    });
    return match;
}

void AddedTokenMatcher::split(std::string_view text, std::vector<Segment>& segments) const {
    std::size_t done = 0;  // segments cover the text up to here
    for (auto at = next_candidate(text, 0); at < text.size(); at = next_candidate(text, at)) {
        auto match = match_at(text, at);
        if (!match.token) {
            ++at;
            continue;
        }
        auto begin = at, end = at + match.length;
        at = end;
        const auto& token = *match.token;
        if (token.single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end))))
            continue;
        if (token.lstrip) begin = std::max(without_spaces_at_end(text.substr(0, begin)), done);
        if (token.rstrip) end += spaces_at_start(text.substr(end));
        if (done < begin) segments.push_back({byte_span(done, begin), -1});
        segments.push_back({byte_span(begin, end), token.id});
        done = end;
    }
    if (done < text.size()) segments.push_back({byte_span(done, text.size()), -1});
}

}  // namespace rootstock
