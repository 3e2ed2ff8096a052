// From a conversation to tokens that count. The rendered text is tokenised whole, as the reference does it, and a token
// counts when it shares a character with what the assistant says.

#include <algorithm>

#include "data/dataset/token_rows.h"

namespace rootstock {
namespace {

struct WeighedSpan {
    ChatSpan bytes;
    float weight = 0;
};

struct WeighedText {
    std::string text;
    std::vector<WeighedSpan> spans;  // in order
    bool add_special_tokens = false;
};

std::vector<float> assistant_weights(const ChatExample& example) {
    std::vector<float> weights;
    for (std::size_t i = 0; i < example.messages.size(); ++i)
        if (example.messages[i].at("role").get_string() == "assistant") weights.push_back(example.weights[i]);
    return weights;
}

// Generation blocks say where the assistant speaks but not in which message; they are the messages in order as long as
// there is one for each.
Result<std::vector<WeighedSpan>> weigh(const std::vector<ChatSpan>& spans, const std::vector<float>& weights) {
    const bool all_the_same = std::ranges::all_of(weights, [&](float weight) { return weight == weights.front(); });
    if (spans.size() != weights.size() && !all_the_same)
        return fail(ErrorCode::unsupported,
                    fmt::format("the chat template marks {} parts for {} messages of the assistant, so their weights "
                                "cannot be told apart; give them all the same weight",
                                spans.size(), weights.size()),
                    "messages", "chat_template_unmarked");
    std::vector<WeighedSpan> weighed;
    for (std::size_t i = 0; i < spans.size(); ++i)
        weighed.push_back({spans[i], all_the_same ? weights.front() : weights[i]});
    return weighed;
}

Result<WeighedText> write_conversation(const ChatExample& example, const TokenRowOptions& options) {
    if (!options.form)
        return fail(
            ErrorCode::unsupported,
            "the base model has no chat template, so it cannot learn conversations; choose an instruction-tuned "
            "model, or give rows of {\"prompt\", \"completion\"}",
            "messages", "no_chat_template");
    ChatOptions chat;
    chat.special_tokens = options.special_tokens;
    chat.tools = example.tools;
    ROOTSTOCK_TRY(rendered, options.form->render_marked(example.messages, chat));
    ROOTSTOCK_TRY(spans, weigh(rendered.assistant, assistant_weights(example)));
    return WeighedText{std::move(rendered.text), std::move(spans), false};
}

// Plain text, ended as texts end in this model.
WeighedText write_completion(const ChatExample& example, const TokenRowOptions& options) {
    std::string text = example.prompt + example.completion;
    const auto* end = options.special_tokens.if_contains("eos_token");
    if (end && end->is_string()) text += std::string_view(end->get_string());
    const ChatSpan learned{example.prompt.size(), text.size()};
    return {std::move(text), {{learned, 1.0f}}, true};
}

// Byte positions of the text as counts of characters, in which a tokenizer's offsets are.
class CharacterCounter {
public:
    explicit CharacterCounter(std::string_view text) : text_(text) {}
    std::int32_t at(std::size_t byte) {  // in ascending order
        for (; byte_ < byte; ++byte_) characters_ += (text_[byte_] & 0xC0) != 0x80;
        return characters_;
    }

private:
    std::string_view text_;
    std::size_t byte_ = 0;
    std::int32_t characters_ = 0;
};

// Tokenizers that trim their offsets give a space alone the empty span behind it.
std::int32_t first_of(const CharSpan& span) { return std::min(span.begin, std::max(0, span.end - 1)); }

void weigh_tokens(const WeighedText& text, const Encoding& encoding, std::vector<float>& weights) {
    weights.assign(encoding.ids.size(), 0.0f);
    CharacterCounter counter(text.text);
    std::size_t token = 0;
    for (const auto& span : text.spans) {
        const auto begin = counter.at(span.bytes.begin), end = counter.at(span.bytes.end);
        while (token < weights.size() && encoding.offsets[token].end <= begin) ++token;
        for (; token < weights.size() && first_of(encoding.offsets[token]) < end; ++token)
            if (encoding.special[token] == 0 && encoding.offsets[token].end > begin) weights[token] = span.weight;
    }
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool contains(std::span<const int> ids, std::int32_t id) { return std::ranges::find(ids, id) != ids.end(); }

// A template's line break behind the mark that ends a turn is written by nobody.
void forget_white_space(const Tokenizer& tokenizer, std::span<const int> end_ids, TokenRow& row) {
    std::size_t place = row.ids.size();
    while (place > 0) {
        auto last = place;  // of a run of tokens that count
        while (last > 0 && row.weights[last - 1] == 0) --last;
        auto first = last;
        while (first > 0 && row.weights[first - 1] > 0) --first;
        auto end = last;
        while (end > first && !contains(end_ids, row.ids[end - 1]) &&
               is_blank(tokenizer.decode({&row.ids[end - 1], 1}, false)))
            --end;
        if (end > first && contains(end_ids, row.ids[end - 1]))
            std::fill(row.weights.begin() + static_cast<std::ptrdiff_t>(end),
                      row.weights.begin() + static_cast<std::ptrdiff_t>(last), 0.0f);
        place = first;
    }
}

bool learns_to_end(const TokenRow& row, std::span<const int> end_ids) {
    for (auto token = row.ids.size(); token-- > 0;)
        if (row.weights[token] > 0) return contains(end_ids, row.ids[token]);
    return false;
}

Result<void> shorten(const TokenRowOptions& options, TokenRow& row) {
    const auto most = static_cast<std::size_t>(options.max_tokens);
    if (most == 0 || row.ids.size() <= most) return {};
    if (options.long_rows == LongRows::refuse)
        return fail(ErrorCode::too_long,
                    fmt::format("the row has {} tokens, more than the {} that are allowed; shorten it, or allow more",
                                row.ids.size(), most),
                    "messages");
    const auto gone = static_cast<std::ptrdiff_t>(row.ids.size() - most);
    row.ids.erase(row.ids.begin(), row.ids.begin() + gone);
    row.weights.erase(row.weights.begin(), row.weights.begin() + gone);
    row.text.clear();
    return {};
}

}  // namespace

double TokenRow::weight() const {
    double sum = 0;
    for (float weight : weights) sum += weight;
    return sum;
}

Result<TokenisedRow> tokenise_chat(const ChatExample& example, const Tokenizer& tokenizer,
                                   const TokenRowOptions& options) {
    auto written = example.messages.empty() ? Result<WeighedText>(write_completion(example, options))
                                            : write_conversation(example, options);
    if (!written) return fail(written.error());
    ROOTSTOCK_TRY(encoding, tokenizer.encode(written->text, {.add_special_tokens = written->add_special_tokens}));
    TokenisedRow result;
    auto& row = result.row;
    row.row = example.row;
    weigh_tokens(*written, encoding, row.weights);
    row.ids = std::move(encoding.ids);
    if (!written->add_special_tokens) row.text = std::move(written->text);
    result.full_tokens = row.ids.size();
    forget_white_space(tokenizer, options.end_ids, row);
    ROOTSTOCK_CHECKED(shorten(options, row));
    if (!row.weights.empty()) row.weights.front() = 0;  // nothing stands before it that could say it
    result.ends = learns_to_end(row, options.end_ids);
    if (row.weight() > 0) return result;
    return fail(ErrorCode::too_long,
                fmt::format("no word to learn is left within the last {} of its {} tokens; shorten the row, or allow "
                            "more tokens",
                            row.ids.size(), result.full_tokens),
                "messages");
}

}  // namespace rootstock
