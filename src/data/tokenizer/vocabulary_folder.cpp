// vocab.txt with tokenizer_config.json: how BERT models were published before tokenizer.json.

#include <algorithm>

#include "data/tokenizer/bert_normalizer.h"
#include "data/tokenizer/bert_pre_tokenizer.h"
#include "data/tokenizer/parts.h"
#include "data/tokenizer/wordpiece.h"
#include "data/tokenizer/wordpiece_decoder.h"

namespace rootstock {
namespace {

struct TokenizerConfig {
    bool lowercase = true, chinese = true;
    std::optional<bool> strip_accents;
    std::optional<std::string> unknown, pad, cls, sep, mask;
    std::int32_t max_tokens = 0;
};

// "[PAD]", or {"content": "[PAD]", ...}.
std::optional<std::string> token_text(const json::object& config, std::string_view key) {
    const auto* value = config.if_contains(key);
    if (value && value->is_object()) value = value->get_object().if_contains("content");
    if (value && value->is_string()) return std::string(value->get_string());
    return std::nullopt;
}

std::optional<bool> truth(const json::object& config, std::string_view key) {
    const auto* value = config.if_contains(key);
    if (value && value->is_bool()) return value->get_bool();
    return std::nullopt;
}

Result<TokenizerConfig> read_config(const std::filesystem::path& folder) {
    TokenizerConfig config;
    auto path = folder / "tokenizer_config.json";
    if (!std::filesystem::exists(path)) return config;
    ROOTSTOCK_TRY(text, read_file(path));
    auto value = parse_json(text, path.string());
    if (!value) return fail(ErrorCode::corrupt, value.error().message);
    const auto* object = value->if_object();
    if (!object) return fail(ErrorCode::corrupt, path.string() + " must be a JSON object");
    config.lowercase = truth(*object, "do_lower_case").value_or(true);
    config.chinese = truth(*object, "tokenize_chinese_chars").value_or(true);
    config.strip_accents = truth(*object, "strip_accents");
    config.unknown = token_text(*object, "unk_token");
    config.pad = token_text(*object, "pad_token");
    config.cls = token_text(*object, "cls_token");
    config.sep = token_text(*object, "sep_token");
    config.mask = token_text(*object, "mask_token");
    const auto* length = object->if_contains("model_max_length");  // 1e30 stands for "no limit"
    if (length && length->is_int64() && length->get_int64() > 0 && length->get_int64() < (1 << 24))
        config.max_tokens = static_cast<std::int32_t>(length->get_int64());
    return config;
}

// Line number (from 0) is the id; white space at the end of a line is not part of the token.
Result<std::vector<VocabularyEntry>> read_lines(const std::filesystem::path& path) {
    ROOTSTOCK_TRY(text, read_file(path));
    std::vector<VocabularyEntry> vocabulary;
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    while (!rest.empty()) {
        auto end = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, end);
        line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
        vocabulary.push_back({std::string(line), static_cast<std::int32_t>(vocabulary.size())});
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (vocabulary.empty()) return fail(ErrorCode::corrupt, path.string() + " is empty");
    return vocabulary;
}

Result<TemplateStep> special_step(const TokenModel& model, const std::string& token, std::int32_t type_id,
                                  const std::filesystem::path& path) {
    auto id = model.id(token);
    if (!id) return fail(ErrorCode::corrupt, path.string() + " lacks the token '" + token + "'");
    return TemplateStep{TemplateStep::Kind::special, type_id, {*id}, {token}};
}

void take_names(const TokenizerConfig& config, TokenizerParts& parts) {
    parts.pad_token = config.pad.value_or(parts.pad_token);
    parts.cls_token = config.cls.value_or(parts.cls_token);
    parts.sep_token = config.sep.value_or(parts.sep_token);
    if (parts.file_max_tokens == 0) parts.file_max_tokens = config.max_tokens;
}

}  // namespace

Result<TokenizerParts> read_vocabulary_folder(const std::filesystem::path& folder) {
    using Kind = TemplateStep::Kind;
    auto path = folder / "vocab.txt";
    ROOTSTOCK_TRY(config, read_config(folder));
    ROOTSTOCK_TRY(vocabulary, read_lines(path));
    WordPieceOptions options;
    options.unknown_token = config.unknown.value_or(options.unknown_token);
    auto model = WordPiece::make(std::move(vocabulary), options);
    if (!model) return fail(ErrorCode::corrupt, path.string() + ": " + model.error().message);
    TokenizerParts parts;
    parts.model = std::move(*model);
    take_names(config, parts);
    parts.normalizer = std::make_unique<BertNormalizer>(
        BertNormalizerOptions{true, config.chinese, config.strip_accents, config.lowercase});
    parts.pre_tokenizer = std::make_unique<BertPreTokenizer>();
    parts.decoder = std::make_unique<WordPieceDecoder>("##", true);
    ROOTSTOCK_TRY(cls, special_step(*parts.model, parts.cls_token, 0, path));
    ROOTSTOCK_TRY(sep, special_step(*parts.model, parts.sep_token, 0, path));
    ROOTSTOCK_TRY(last, special_step(*parts.model, parts.sep_token, 1, path));
    TemplateStep first{Kind::first_text, 0, {}, {}}, second{Kind::second_text, 1, {}, {}};
    parts.post_processor = {{cls, first, sep}, {cls, first, sep, second, last}};
    for (const auto& token :
         {options.unknown_token, parts.sep_token, parts.pad_token, parts.cls_token, config.mask.value_or("[MASK]")})
        if (auto id = parts.model->id(token)) parts.added.push_back({.content = token, .id = *id, .special = true});
    return parts;
}

Result<void> apply_tokenizer_config(const std::filesystem::path& folder, TokenizerParts& parts) {
    ROOTSTOCK_TRY(config, read_config(folder));
    take_names(config, parts);
    return {};
}

}  // namespace rootstock
