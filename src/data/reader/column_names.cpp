#include "data/reader/column_names.h"

#include <algorithm>
#include <span>

#include "data/text/utf8.h"

namespace rootstock {
namespace {

// In order of preference, when a table has several of them.
constexpr std::string_view text_names[] = {
    "text",      "sentence",  "message", "content",  "question",  "body", "comment",     "review",
    "tweet",     "utterance", "query",   "document", "input",     "sms",  "description", "email",
    "sentence1", "post",      "title",   "request",  "prompt",    "文本", "内容",        "句子",
    "评论",      "问题",      "text_a",  "feedback", "complaint", "消息", "正文",        "transcript",
};

constexpr std::string_view label_names[] = {
    "label",  "category", "class", "intent", "target", "labels", "topic", "sentiment", "tag",        "emotion",
    "output", "y",        "type",  "标签",   "类别",   "分类",   "意图",  "情感",      "label_text", "label_name",
};

constexpr std::string_view other_names[] = {
    "id", "index", "row", "date", "time", "name", "score", "split", "user", "author", "source", "language", "lang", "",
};

std::optional<std::size_t> rank_of(std::string_view name, std::span<const std::string_view> names) {
    auto place = std::ranges::find(names, lower_ascii(name));
    if (place == names.end()) return std::nullopt;
    return static_cast<std::size_t>(place - names.begin());
}

}  // namespace

std::string lower_ascii(std::string_view text) {
    std::string lower(trim_white_space(text));
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

std::optional<std::size_t> text_name_rank(std::string_view name) { return rank_of(name, text_names); }
std::optional<std::size_t> label_name_rank(std::string_view name) { return rank_of(name, label_names); }
bool is_other_name(std::string_view name) { return rank_of(name, other_names).has_value(); }

}  // namespace rootstock
