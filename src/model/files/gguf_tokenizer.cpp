// The vocabulary of a GGUF file as a tokenizer.json (version 1.0), and the settings beside it. Three kinds:
//
//   gpt2    byte-level BPE: merges as listed; tokenizer.ggml.pre names how text is cut into words before
//   llama   sentencepiece BPE: a score a token; the pair whose union has the highest score merges first, so merges are
//           all splits of a token into two tokens, sorted by its score; unknown characters fall back to bytes
//   bert    WordPiece: a token at a word's start carries U+2581, others carry nothing; the reverse of "##"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "model/files/gguf_model.h"

namespace rootstock {

namespace {

constexpr std::string_view kSpace = "\u2581";
constexpr std::size_t kTokenBytesMax = 512;  // of a sentencepiece token, which is cut at every place to find its merges
enum TokenType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

constexpr const char* kLlama3Words =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
constexpr const char* kQwen2Words =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

enum class Words { gpt2, digits_then_gpt2, llama3, qwen2 };
enum class Frame { none, begin, roberta };  // special tokens around a text, unless the file says otherwise

struct WordRule {
    std::string_view name;
    Words words;
    Frame frame = Frame::none;
    bool ignore_merges = false;
};
constexpr WordRule kWordRules[] = {{"gpt-2", Words::gpt2},
                                   {"gpt2", Words::gpt2},
                                   {"phi-2", Words::gpt2},
                                   {"mpt", Words::gpt2},
                                   {"olmo", Words::gpt2},
                                   {"jina-es", Words::gpt2, Frame::roberta},
                                   {"jina-de", Words::gpt2, Frame::roberta},
                                   {"jina-v2-es", Words::gpt2, Frame::roberta},
                                   {"jina-v2-de", Words::gpt2, Frame::roberta},
                                   {"jina-v2-code", Words::gpt2, Frame::roberta},
                                   {"roberta-bpe", Words::gpt2, Frame::roberta},
                                   {"smollm", Words::digits_then_gpt2},
                                   {"starcoder", Words::digits_then_gpt2},
                                   {"refact", Words::digits_then_gpt2},
                                   {"command-r", Words::digits_then_gpt2},
                                   {"codeshell", Words::digits_then_gpt2},
                                   {"llama3", Words::llama3, Frame::begin, true},
                                   {"llama-v3", Words::llama3, Frame::begin, true},
                                   {"llama-bpe", Words::llama3, Frame::begin, true},
                                   {"dbrx", Words::llama3},
                                   {"smaug-bpe", Words::llama3},
                                   {"qwen2", Words::qwen2},
                                   {"deepseek-r1-qwen", Words::qwen2},
                                   {"stablelm2", Words::qwen2}};

json::object byte_level(bool use_regex) {
    return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", use_regex}};
}

json::object split_by(const char* expression) {
    return {{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}, {"invert", false}};
}

json::value word_splitter(Words words) {
    if (words == Words::gpt2) return byte_level(true);
    json::array steps;
    if (words == Words::digits_then_gpt2)
        steps = {json::object{{"type", "Digits"}, {"individual_digits", true}}, byte_level(true)};
    else
        steps = {split_by(words == Words::llama3 ? kLlama3Words : kQwen2Words), byte_level(false)};
    return json::object{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

json::value normalizer_of(Words words) {  // models with Qwen's rule compose characters before they cut
    return words == Words::qwen2 ? json::value(json::object{{"type", "NFC"}}) : json::value(nullptr);
}

class TokenizerBuilder {
public:
    TokenizerBuilder(const Gguf& gguf, std::string_view what) : gguf_(gguf), what_(what) {}
    Result<std::string> build();

private:
    std::unexpected<Error> corrupt(const std::string& sentence) const {
        return fail(ErrorCode::corrupt, what_ + " " + sentence + "; fetch it again, or convert the model anew");
    }
    std::unexpected<Error> unsupported(const std::string& sentence) const {
        return fail(ErrorCode::unsupported, what_ + " " + sentence);
    }
    Result<void> read_tokens();
    std::int64_t type(std::size_t id) const { return types_.empty() ? std::int64_t{kNormal} : types_[id]; }
    std::optional<std::size_t> special(std::string_view name) const;
    std::optional<std::size_t> special_or(std::string_view name, std::string_view text) const;
    json::object vocabulary() const;
    json::array added_tokens() const;
    Result<const WordRule*> word_rule() const;
    Result<json::object> byte_level_bpe();
    Result<json::object> sentencepiece_bpe();
    Result<json::object> wordpiece();
    Result<json::array> listed_merges() const;
    json::array merges_of_scores(const std::vector<double>& scores) const;
    json::value frame(Frame usual) const;
    void strip_word_marks();
    bool has_capitals() const;

    const Gguf& gguf_;
    std::string what_;
    std::vector<std::string> tokens_;
    std::vector<std::int64_t> types_;
    std::unordered_map<std::string_view, std::size_t> ids_;
};

Result<void> TokenizerBuilder::read_tokens() {
    const auto* tokens = gguf_.texts("tokenizer.ggml.tokens");
    if (!tokens || tokens->empty()) return corrupt("holds no list tokenizer.ggml.tokens");
    tokens_ = *tokens;
    types_ = gguf_.integers("tokenizer.ggml.token_type");
    if (!types_.empty() && types_.size() != tokens_.size())
        return corrupt("has " + std::to_string(tokens_.size()) + " tokens and types of " +
                       std::to_string(types_.size()));
    return {};
}

std::optional<std::size_t> TokenizerBuilder::special(std::string_view name) const {
    const auto id = gguf_.integer("tokenizer.ggml." + std::string(name) + "_token_id");
    if (!id || *id < 0 || static_cast<std::size_t>(*id) >= tokens_.size()) return std::nullopt;
    return static_cast<std::size_t>(*id);
}

std::optional<std::size_t> TokenizerBuilder::special_or(std::string_view name, std::string_view text) const {
    if (const auto id = special(name)) return id;
    const auto place = ids_.find(text);
    return place == ids_.end() ? std::nullopt : std::optional(place->second);
}

json::object TokenizerBuilder::vocabulary() const {
    json::object vocabulary;
    vocabulary.reserve(tokens_.size());
    for (std::size_t id = 0; id < tokens_.size(); ++id) vocabulary.emplace(tokens_[id], id);
    return vocabulary;
}

// Control tokens are special; user-defined ones are ordinary text that is never cut.
json::array TokenizerBuilder::added_tokens() const {
    json::array added;
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        const auto kind = type(id);
        if (kind != kControl && kind != kUserDefined && kind != kUnknown) continue;
        added.push_back(json::object{{"id", id},
                                     {"content", tokens_[id]},
                                     {"single_word", false},
                                     {"lstrip", false},
                                     {"rstrip", false},
                                     {"normalized", false},
                                     {"special", kind != kUserDefined}});
    }
    return added;
}

// ---- the frame of special tokens ----

json::object sequence_piece(const char* id, int type) { return {{"Sequence", {{"id", id}, {"type_id", type}}}}; }
json::object special_piece(const std::string& token, int type) {
    return {{"SpecialToken", {{"id", token}, {"type_id", type}}}};
}

// TemplateProcessing that puts `before` and `after` around each text (`between` stands twice for RoBERTa).
class Template {
public:
    void add(const std::string& token, std::size_t id) {
        tokens_[token] = json::object{{"id", token}, {"ids", json::array{id}}, {"tokens", json::array{token}}};
    }
    void single(json::object piece) {
        single_.push_back(piece);
        pair_.push_back(std::move(piece));
    }
    void second(json::object piece) { pair_.push_back(std::move(piece)); }
    json::value value() && {
        return json::object{{"type", "TemplateProcessing"},
                            {"single", std::move(single_)},
                            {"pair", std::move(pair_)},
                            {"special_tokens", std::move(tokens_)}};
    }

private:
    json::array single_, pair_;
    json::object tokens_;
};

json::value TokenizerBuilder::frame(Frame usual) const {
    const bool roberta = usual == Frame::roberta;
    const auto begin = special("bos"), end = special("eos");
    const bool before = begin && gguf_.flag("tokenizer.ggml.add_bos_token").value_or(usual != Frame::none);
    const bool after = end && gguf_.flag("tokenizer.ggml.add_eos_token").value_or(roberta);
    if (!before && !after) return nullptr;
    const int second = roberta ? 0 : 1;
    Template frame;
    if (before) frame.add(tokens_[*begin], *begin), frame.single(special_piece(tokens_[*begin], 0));
    frame.single(sequence_piece("A", 0));
    if (after) frame.add(tokens_[*end], *end), frame.single(special_piece(tokens_[*end], 0));
    if (roberta && after)
        frame.second(special_piece(tokens_[*end], 0));
    else if (before)
        frame.second(special_piece(tokens_[*begin], second));
    frame.second(sequence_piece("B", second));
    if (after) frame.second(special_piece(tokens_[*end], second));
    return std::move(frame).value();
}

// ---- gpt2 ----

Result<const WordRule*> TokenizerBuilder::word_rule() const {
    const auto* name = gguf_.text("tokenizer.ggml.pre");
    if (!name)
        return unsupported(
            "does not say how its tokenizer cuts words (tokenizer.ggml.pre); it was made by an old "
            "converter: convert the model anew");
    const auto* rule = std::ranges::find(kWordRules, std::string_view(*name), &WordRule::name);
    if (rule == std::end(kWordRules))
        return unsupported("cuts words by the rule \"" + *name + "\" (tokenizer.ggml.pre), which is not supported");
    return rule;
}

Result<json::array> TokenizerBuilder::listed_merges() const {
    const auto* list = gguf_.texts("tokenizer.ggml.merges");
    if (!list) return corrupt("holds no list tokenizer.ggml.merges");
    json::array merges;
    merges.reserve(list->size());
    for (const auto& merge : *list) {
        const auto space = merge.find(' ', 1);
        const std::string_view text(merge);
        if (merge.empty() || space == std::string::npos || text.find(' ', space + 1) != std::string_view::npos)
            return corrupt("lists the merge \"" + merge + "\", which is no pair");
        const auto left = text.substr(0, space), right = text.substr(space + 1);
        if (!ids_.contains(left) || !ids_.contains(right) || !ids_.contains(std::string(left) + std::string(right)))
            return corrupt("lists the merge \"" + merge + "\" of tokens it does not have");
        merges.emplace_back(merge);
    }
    return merges;
}

Result<json::object> TokenizerBuilder::byte_level_bpe() {
    ROOTSTOCK_TRY(rule, word_rule());
    ROOTSTOCK_TRY(merges, listed_merges());
    json::object model{{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", rule->ignore_merges}};
    model["vocab"] = vocabulary();
    model["merges"] = std::move(merges);
    json::object parts;
    parts["normalizer"] = normalizer_of(rule->words);
    parts["pre_tokenizer"] = word_splitter(rule->words);
    parts["post_processor"] = frame(rule->frame);
    parts["decoder"] = byte_level(true);
    parts["model"] = std::move(model);
    return parts;
}

// ---- llama ----

json::array TokenizerBuilder::merges_of_scores(const std::vector<double>& scores) const {
    struct Merge {
        double score;
        std::size_t token, left, right;
    };
    std::vector<Merge> found;
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        if (type(id) != kNormal) continue;
        const std::string_view text(tokens_[id]);
        for (std::size_t at = 1; at < text.size(); ++at) {
            if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;  // inside a character
            const auto left = ids_.find(text.substr(0, at)), right = ids_.find(text.substr(at));
            if (left == ids_.end() || right == ids_.end()) continue;
            found.push_back({scores[id], id, left->second, right->second});
        }
    }
    std::ranges::sort(found, [](const Merge& a, const Merge& b) {
        if (a.score != b.score) return a.score > b.score;
        return std::tie(a.token, a.left, a.right) < std::tie(b.token, b.left, b.right);
    });
    json::array merges;
    merges.reserve(found.size());
    for (const auto& merge : found) merges.emplace_back(tokens_[merge.left] + " " + tokens_[merge.right]);
    return merges;
}

json::object replaced(const char* from, std::string_view to) {
    return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

Result<json::object> TokenizerBuilder::sentencepiece_bpe() {
    const auto scores = gguf_.numbers("tokenizer.ggml.scores");
    if (scores.size() != tokens_.size())
        return corrupt("has " + std::to_string(tokens_.size()) + " tokens and scores of " +
                       std::to_string(scores.size()));
    if (!std::ranges::all_of(scores, [](double score) { return std::isfinite(score); }))
        return corrupt("has a score that is no number");
    if (std::ranges::any_of(tokens_, [](const std::string& token) { return token.size() > kTokenBytesMax; }))
        return corrupt("has a token of more than " + std::to_string(kTokenBytesMax) + " bytes");
    const auto unknown = special_or("unknown", "<unk>");
    const bool prefix = gguf_.flag("tokenizer.ggml.add_space_prefix").value_or(true);
    json::array normalizers, decoders{replaced(std::string(kSpace).c_str(), " "),
                                      json::object{{"type", "ByteFallback"}}, json::object{{"type", "Fuse"}}};
    if (prefix) {
        normalizers.push_back(json::object{{"type", "Prepend"}, {"prepend", kSpace}});
        decoders.push_back(json::object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    }
    normalizers.push_back(replaced(" ", kSpace));
    json::object model{{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", unknown ? json::value(tokens_[*unknown]) : json::value(nullptr)},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", true},
                       {"byte_fallback", true},
                       {"ignore_merges", false}};
    model["vocab"] = vocabulary();
    model["merges"] = merges_of_scores(scores);
    json::object parts;
    parts["normalizer"] = json::object{{"type", "Sequence"}, {"normalizers", std::move(normalizers)}};
    parts["pre_tokenizer"] = nullptr;
    parts["post_processor"] = frame(Frame::begin);
    parts["decoder"] = json::object{{"type", "Sequence"}, {"decoders", std::move(decoders)}};
    parts["model"] = std::move(model);
    return parts;
}

// ---- bert ----

bool is_bracketed(std::string_view token) { return token.starts_with('[') && token.ends_with(']'); }

// "<U+2581>play" -> "play", "ing" -> "##ing", "[CLS]" as it is.
void TokenizerBuilder::strip_word_marks() {
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        auto& token = tokens_[id];
        if (token.starts_with(kSpace))
            token.erase(0, kSpace.size());
        else if (type(id) == kNormal && !is_bracketed(token))
            token.insert(0, "##");
    }
}

// No model keeps capitals in its vocabulary and lowers them in its texts.
bool TokenizerBuilder::has_capitals() const {
    for (std::size_t id = 0; id < tokens_.size(); ++id)
        if (type(id) == kNormal && !is_bracketed(tokens_[id]) &&
            std::ranges::any_of(tokens_[id], [](char c) { return c >= 'A' && c <= 'Z'; }))
            return true;
    return false;
}

Result<json::object> TokenizerBuilder::wordpiece() {
    const auto unknown = special_or("unknown", "[UNK]"), begin = special_or("cls", "[CLS]"),
               end = special_or("seperator", "[SEP]");  // so spelt in every file
    if (!unknown || !begin || !end) return corrupt("names no [UNK], [CLS] or [SEP] token");
    Template frame;
    frame.add(tokens_[*begin], *begin);
    frame.add(tokens_[*end], *end);
    frame.single(special_piece(tokens_[*begin], 0));
    frame.single(sequence_piece("A", 0));
    frame.single(special_piece(tokens_[*end], 0));
    frame.second(sequence_piece("B", 1));
    frame.second(special_piece(tokens_[*end], 1));
    json::object model{{"type", "WordPiece"},
                       {"unk_token", tokens_[*unknown]},
                       {"continuing_subword_prefix", "##"},
                       {"max_input_chars_per_word", 100}};
    model["vocab"] = vocabulary();
    json::object parts;
    parts["normalizer"] = json::object{{"type", "BertNormalizer"},
                                       {"clean_text", true},
                                       {"handle_chinese_chars", true},
                                       {"strip_accents", nullptr},
                                       {"lowercase", !has_capitals()}};
    parts["pre_tokenizer"] = json::object{{"type", "BertPreTokenizer"}};
    parts["post_processor"] = std::move(frame).value();
    parts["decoder"] = json::object{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    parts["model"] = std::move(model);
    return parts;
}

Result<std::string> TokenizerBuilder::build() {
    const auto* kind = gguf_.text("tokenizer.ggml.model");
    if (!kind) return corrupt("holds no tokenizer");
    ROOTSTOCK_CHECKED(read_tokens());
    if (*kind == "bert") strip_word_marks();
    for (std::size_t id = 0; id < tokens_.size(); ++id)
        if (!ids_.emplace(tokens_[id], id).second) return corrupt("lists the token \"" + tokens_[id] + "\" twice");
    Result<json::object> parts = *kind == "gpt2"    ? byte_level_bpe()
                                 : *kind == "llama" ? sentencepiece_bpe()
                                 : *kind == "bert"
                                     ? wordpiece()
                                     : unsupported("has a tokenizer of kind \"" + *kind +
                                                   "\", which is not supported; gpt2, llama and bert are");
    if (!parts) return fail(parts.error());
    json::object whole{
        {"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added_tokens()}};
    for (const char* part : {"normalizer", "pre_tokenizer", "post_processor", "decoder", "model"})
        whole[part] = std::move((*parts)[part]);
    auto text = json::serialize(whole);
    const auto sound = parse_json(text, "its vocabulary");
    if (!sound) return corrupt("has a vocabulary that is no text: " + sound.error().message);
    return text;
}

}  // namespace

namespace {

// The fields that decide how text is cut; offsets and decoding are not among them.
json::value cutting(const json::value& part) {
    if (part.is_array()) {
        json::array steps;
        for (const auto& step : part.as_array()) steps.push_back(cutting(step));
        return steps;
    }
    if (!part.is_object()) return part;
    json::object kept;
    for (const auto& [key, value] : part.as_object())
        if (key != "trim_offsets") kept[key] = cutting(value);
    if (kept.contains("type") && kept["type"] == "ByteLevel" && !kept.contains("use_regex")) kept["use_regex"] = true;
    return kept;
}

}  // namespace

// The first rule of a kind stands for all of it.
std::string gguf_word_rule_name(const GgufWordRule& wanted) {
    for (const auto& rule : kWordRules)
        if (rule.ignore_merges == wanted.ignore_merges && (rule.frame == Frame::roberta) == wanted.pairs_as_roberta &&
            normalizer_of(rule.words) == wanted.normalizer &&
            cutting(word_splitter(rule.words)) == cutting(wanted.pre_tokenizer))
            return std::string(rule.name);
    return "";
}

Result<std::string> gguf_tokenizer_json(const Gguf& gguf, std::string_view what) {
    return TokenizerBuilder(gguf, what).build();
}

json::object gguf_tokenizer_config(const Gguf& gguf) {
    json::object config{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
    const auto* tokens = gguf.texts("tokenizer.ggml.tokens");
    const std::pair<const char*, const char*> kSpecials[] = {
        {"bos_token", "bos"},     {"eos_token", "eos"}, {"unk_token", "unknown"}, {"sep_token", "seperator"},
        {"pad_token", "padding"}, {"cls_token", "cls"}, {"mask_token", "mask"}};
    for (const auto& [field, name] : kSpecials) {
        const auto id = gguf.integer("tokenizer.ggml." + std::string(name) + "_token_id");
        if (tokens && id && *id >= 0 && static_cast<std::size_t>(*id) < tokens->size())
            config[field] = (*tokens)[static_cast<std::size_t>(*id)];
    }
    for (const char* field : {"add_bos_token", "add_eos_token"})
        if (const auto flag = gguf.flag("tokenizer.ggml." + std::string(field))) config[field] = *flag;
    if (const auto* chat = gguf.text("tokenizer.chat_template")) config["chat_template"] = *chat;
    if (const auto* architecture = gguf.text("general.architecture"))
        if (const auto most = gguf.integer(*architecture + ".context_length")) config["model_max_length"] = *most;
    return config;
}

}  // namespace rootstock
