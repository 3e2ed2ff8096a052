// A tokenizer.json as the vocabulary of a GGUF file: the reverse of gguf_tokenizer.cpp.

#include <algorithm>
#include <set>

#include "model/files/gguf_model.h"

namespace rootstock {

namespace {

constexpr std::string_view kSpace = "\u2581";
constexpr std::int64_t kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6;
constexpr std::size_t kTokensMax = std::size_t{1} << 22;

std::string text_at(const json::object& object, std::string_view field) {
    const auto* value = object.if_contains(field);
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

json::value value_at(const json::object& object, std::string_view field) {
    const auto* value = object.if_contains(field);
    return value ? *value : json::value(nullptr);
}

bool flag_at(const json::object& object, std::string_view field) {
    const auto* value = object.if_contains(field);
    return value && value->is_bool() && value->as_bool();
}

// A token as tokenizer_config.json gives it: its text, or an object with its content.
std::string token_text(const json::object& config, std::string_view field) {
    const auto value = value_at(config, field);
    return value.is_object() ? text_at(value.as_object(), "content") : text_at(config, field);
}

// RobertaProcessing, or a template of pairs in which two special tokens stand side by side.
bool pairs_as_roberta(const json::value& processor) {
    if (!processor.is_object()) return false;
    if (text_at(processor.as_object(), "type") == "RobertaProcessing") return true;
    const auto pair = value_at(processor.as_object(), "pair");
    bool special_before = false;
    for (const auto& piece : pair.is_array() ? pair.as_array() : json::array{}) {
        const bool special = piece.is_object() && piece.as_object().contains("SpecialToken");
        if (special && special_before) return true;
        special_before = special;
    }
    return false;
}

class VocabularyBuilder {
public:
    VocabularyBuilder(const json::object& tokenizer, const json::object& settings, const json::object& config)
        : tokenizer_(tokenizer), settings_(settings), config_(config) {}
    Result<GgufValues> build(std::int64_t rows);

private:
    std::unexpected<Error> unsupported(const std::string& sentence) const {
        return fail(ErrorCode::unsupported, "tokenizer.json " + sentence + "; GGUF has no place for it");
    }
    std::unexpected<Error> wrong(const std::string& sentence) const {
        return fail(ErrorCode::invalid_argument, "tokenizer.json " + sentence);
    }
    Result<void> read_tokens(std::int64_t rows);
    Result<void> place(std::string_view token, const json::value& id, std::int64_t type);
    Result<std::vector<std::pair<std::string, std::string>>> merges() const;
    Result<void> put_byte_level();
    Result<void> put_sentencepiece();
    Result<void> put_wordpiece();
    void put_specials();
    void put_frame();

    const json::object &tokenizer_, &settings_, &config_;
    json::object model_;
    std::vector<std::string> tokens_;
    std::vector<std::int64_t> types_;
    GgufValues values_;
};

Result<void> VocabularyBuilder::place(std::string_view token, const json::value& id, std::int64_t type) {
    const auto* number = id.if_int64();
    if (!number || *number < 0 || static_cast<std::size_t>(*number) >= tokens_.size())
        return wrong("gives the token \"" + std::string(token) + "\" an id outside the model's tables");
    tokens_[static_cast<std::size_t>(*number)] = token;
    types_[static_cast<std::size_t>(*number)] = type;
    return {};
}

// Ids that no token has stand as unused ones.
Result<void> VocabularyBuilder::read_tokens(std::int64_t rows) {
    const auto* vocabulary = model_.if_contains("vocab");
    if (!vocabulary || !vocabulary->is_object()) return wrong("has no vocabulary of tokens with ids");
    if (rows < 1 || static_cast<std::size_t>(rows) > kTokensMax) return wrong("is for too large a table");
    tokens_.resize(static_cast<std::size_t>(rows));
    types_.assign(tokens_.size(), kUnused);
    for (std::size_t id = 0; id < tokens_.size(); ++id) tokens_[id] = "[PAD" + std::to_string(id) + "]";
    for (const auto& [token, id] : vocabulary->as_object()) ROOTSTOCK_CHECKED(place(token, id, kNormal));
    const auto added = value_at(tokenizer_, "added_tokens");
    for (const auto& item : added.is_array() ? added.as_array() : json::array{}) {
        if (!item.is_object()) return wrong("has an added token that is no object");
        const auto& token = item.as_object();
        ROOTSTOCK_CHECKED(place(text_at(token, "content"), value_at(token, "id"),
                                flag_at(token, "special") ? kControl : kUserDefined));
    }
    return {};
}

// Both spellings: "a b" and ["a", "b"].
Result<std::vector<std::pair<std::string, std::string>>> VocabularyBuilder::merges() const {
    const auto list = value_at(model_, "merges");
    if (!list.is_array()) return wrong("has no merges");
    std::vector<std::pair<std::string, std::string>> merges;
    for (const auto& item : list.as_array()) {
        if (item.is_array() && item.as_array().size() == 2 && item.as_array()[0].is_string() &&
            item.as_array()[1].is_string()) {
            merges.emplace_back(item.as_array()[0].as_string(), item.as_array()[1].as_string());
        } else if (item.is_string() && item.as_string().find(' ', 1) != json::string::npos) {
            const std::string text(item.as_string());
            const auto space = text.find(' ', 1);
            merges.emplace_back(text.substr(0, space), text.substr(space + 1));
        } else {
            return wrong("has a merge that is no pair");
        }
        if ((merges.back().first + merges.back().second).find(' ') != std::string::npos)
            return unsupported("merges tokens with blanks in them");
    }
    return merges;
}

Result<void> VocabularyBuilder::put_byte_level() {
    GgufWordRule rule{value_at(tokenizer_, "normalizer"), value_at(tokenizer_, "pre_tokenizer"),
                      flag_at(model_, "ignore_merges"), pairs_as_roberta(value_at(tokenizer_, "post_processor"))};
    const auto name = gguf_word_rule_name(rule);
    if (name.empty()) return unsupported("cuts words by a rule of its own");
    ROOTSTOCK_TRY(pairs, merges());
    std::vector<std::string> list;
    for (const auto& [left, right] : pairs) list.push_back(left + " " + right);
    values_.emplace("tokenizer.ggml.model", GgufValue::of_string("gpt2"));
    values_.emplace("tokenizer.ggml.pre", GgufValue::of_string(name));
    values_.emplace("tokenizer.ggml.merges", GgufValue::of_strings(std::move(list)));
    return {};
}

// A token's score is the rank of the first merge that makes it: the pair with the highest score merges first.
Result<void> VocabularyBuilder::put_sentencepiece() {
    ROOTSTOCK_TRY(pairs, merges());
    std::map<std::string, double, std::less<>> scores;
    for (std::size_t rank = 0; rank < pairs.size(); ++rank)
        scores.emplace(pairs[rank].first + pairs[rank].second, -static_cast<double>(rank));
    std::vector<double> list;
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        const auto& token = tokens_[id];
        const auto score = scores.find(token);
        list.push_back(score != scores.end() ? score->second : types_[id] == kNormal ? -1e9 : 0);
        if (types_[id] == kNormal && token.size() == 6 && token.starts_with("<0x") && token.ends_with('>'))
            types_[id] = kByte;
    }
    const auto text = json::serialize(value_at(tokenizer_, "normalizer"));
    values_.emplace("tokenizer.ggml.model", GgufValue::of_string("llama"));
    values_.emplace("tokenizer.ggml.pre", GgufValue::of_string("default"));
    values_.emplace("tokenizer.ggml.scores", GgufValue::of_f32s(std::move(list)));
    values_.emplace("tokenizer.ggml.add_space_prefix",
                    GgufValue::of_bool(text.find("\"Prepend\"") != std::string::npos));
    return {};
}

Result<void> VocabularyBuilder::put_wordpiece() {
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
        auto& token = tokens_[id];
        if (types_[id] != kNormal || (token.starts_with('[') && token.ends_with(']'))) continue;
        if (token.starts_with("##"))
            token.erase(0, 2);
        else
            token.insert(0, kSpace);
    }
    values_.emplace("tokenizer.ggml.model", GgufValue::of_string("bert"));
    values_.emplace("tokenizer.ggml.pre", GgufValue::of_string("default"));
    values_.emplace("tokenizer.ggml.token_type_count", GgufValue::of_u32(2));
    return {};
}

void VocabularyBuilder::put_specials() {
    struct Special {
        const char *key, *token, *id;
    };
    constexpr Special kSpecials[] = {{"bos", "bos_token", "bos_token_id"},
                                     {"eos", "eos_token", "eos_token_id"},
                                     {"unknown", "unk_token", ""},
                                     {"seperator", "sep_token", ""},
                                     {"padding", "pad_token", "pad_token_id"},
                                     {"cls", "cls_token", ""},
                                     {"mask", "mask_token", ""}};
    for (const auto& special : kSpecials) {
        const auto text = token_text(settings_, special.token);
        const auto found = std::ranges::find(tokens_, text);
        std::int64_t id = text.empty() || found == tokens_.end() ? -1 : found - tokens_.begin();
        auto in_config = value_at(config_, special.id);
        if (in_config.is_array() && !in_config.as_array().empty()) in_config = json::value(in_config.as_array()[0]);
        if (id < 0 && in_config.is_int64()) id = in_config.as_int64();
        if (id < 0 || static_cast<std::size_t>(id) >= tokens_.size()) continue;
        values_.emplace("tokenizer.ggml." + std::string(special.key) + "_token_id",
                        GgufValue::of_u32(static_cast<std::uint32_t>(id)));
    }
}

// Does a text begin with the begin token, and end with the end token?
void VocabularyBuilder::put_frame() {
    std::vector<std::string> before, after;
    const auto processor = value_at(tokenizer_, "post_processor");
    std::vector<json::value> steps{processor};
    if (processor.is_object() && text_at(processor.as_object(), "type") == "Sequence") {
        const auto list = value_at(processor.as_object(), "processors");
        if (list.is_array()) steps.assign(list.as_array().begin(), list.as_array().end());
    }
    for (const auto& step : steps) {
        const auto single = step.is_object() ? value_at(step.as_object(), "single") : json::value(nullptr);
        bool text_seen = false;
        for (const auto& piece : single.is_array() ? single.as_array() : json::array{}) {
            const auto special = piece.is_object() ? value_at(piece.as_object(), "SpecialToken") : json::value(nullptr);
            if (special.is_object())
                (text_seen ? after : before).push_back(text_at(special.as_object(), "id"));
            else
                text_seen = true;
        }
        const auto kind = step.is_object() ? text_at(step.as_object(), "type") : "";
        if (kind == "RobertaProcessing" || kind == "BertProcessing")
            before.emplace_back("cls"), after.emplace_back("sep");
    }
    values_.emplace("tokenizer.ggml.add_bos_token", GgufValue::of_bool(!before.empty()));
    values_.emplace("tokenizer.ggml.add_eos_token", GgufValue::of_bool(!after.empty()));
}

Result<GgufValues> VocabularyBuilder::build(std::int64_t rows) {
    const auto model = value_at(tokenizer_, "model");
    if (!model.is_object()) return wrong("has no model");
    model_ = model.as_object();
    ROOTSTOCK_CHECKED(read_tokens(rows));
    const auto kind = text_at(model_, "type");
    if (kind == "WordPiece")
        ROOTSTOCK_CHECKED(put_wordpiece());
    else if (kind == "BPE" && flag_at(model_, "byte_fallback"))
        ROOTSTOCK_CHECKED(put_sentencepiece());
    else if (kind == "BPE")
        ROOTSTOCK_CHECKED(put_byte_level());
    else
        return unsupported("is of kind \"" + kind + "\"");
    put_specials();
    if (kind != "WordPiece") put_frame();
    values_.emplace("tokenizer.ggml.tokens", GgufValue::of_strings(std::move(tokens_)));
    values_.emplace("tokenizer.ggml.token_type", GgufValue::of_i32s(std::move(types_)));
    if (const auto chat = text_at(settings_, "chat_template"); !chat.empty())
        values_.emplace("tokenizer.chat_template", GgufValue::of_string(chat));
    return std::move(values_);
}

Result<json::object> parsed(const std::map<std::string, std::string>& files, const std::string& name) {
    const auto place = files.find(name);
    if (place == files.end()) return json::object{};
    ROOTSTOCK_TRY(value, parse_json(place->second, name));
    if (!value.is_object()) return fail(ErrorCode::invalid_argument, name + " must hold a JSON object");
    return std::move(value.as_object());
}

}  // namespace

Result<GgufValues> gguf_vocabulary(const std::map<std::string, std::string>& side_files, const json::object& config,
                                   std::int64_t rows) {
    if (!side_files.contains("tokenizer.json"))
        return fail(ErrorCode::unsupported,
                    "the model has no tokenizer.json, which a GGUF file's vocabulary is made of");
    ROOTSTOCK_TRY(tokenizer, parsed(side_files, "tokenizer.json"));
    ROOTSTOCK_TRY(settings, parsed(side_files, "tokenizer_config.json"));
    return VocabularyBuilder(tokenizer, settings, config).build(rows);
}

}  // namespace rootstock
