// How models were published before tokenizer.json: vocab.txt (BERT), vocab.json with merges.txt (GPT-2, RoBERTa), and
// SentencePiece models (T5, Llama), each with tokenizer_config.json.

#include <algorithm>
#include <cctype>

#include "data/tokenizer/bert_normalizer.h"
#include "data/tokenizer/bert_pre_tokenizer.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/decoders.h"
#include "data/tokenizer/json_parts.h"
#include "data/tokenizer/parts.h"
#include "data/tokenizer/sentencepiece.h"
#include "data/tokenizer/wordpiece.h"

namespace rootstock {
namespace {

struct TokenizerConfig {
    bool lowercase = true, chinese = true;
    std::optional<bool> strip_accents;
    std::optional<std::string> unknown, pad, cls, sep, mask;
    std::optional<std::string> bos, eos;
    std::optional<bool> add_bos, add_eos;
    bool prefix_space = false;
    std::int32_t max_tokens = 0;
};

struct BpeParts {
    std::vector<VocabularyEntry> vocabulary;
    std::vector<Merge> merges;
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
    config.bos = token_text(*object, "bos_token");
    config.eos = token_text(*object, "eos_token");
    config.add_bos = truth(*object, "add_bos_token");
    config.add_eos = truth(*object, "add_eos_token");
    config.prefix_space = truth(*object, "add_prefix_space").value_or(false);
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

// A step with a token, and the token among the added ones.
Result<TemplateStep> added_step(const std::string& token, const std::filesystem::path& path, TokenizerParts& parts) {
    ROOTSTOCK_TRY(step, special_step(*parts.model, token, 0, path));
    if (!parts.added.by_content(token)) parts.added.add({.content = token, .id = step.ids[0], .special = true});
    return std::move(step);
}

// "tokenizer_class" of tokenizer_config.json and "model_type" of config.json, in lower case: what kind this is.
std::string kind_of(const std::filesystem::path& folder) {
    std::string kind;
    for (auto [file, key] : {std::pair{"tokenizer_config.json", "tokenizer_class"}, {"config.json", "model_type"}}) {
        if (!std::filesystem::exists(folder / file)) continue;
        auto text = read_file(folder / file);
        auto value = text ? parse_json(*text, file) : Result<json::value>(fail(ErrorCode::io, ""));
        const auto* object = value ? value->if_object() : nullptr;
        if (object) kind += token_text(*object, key).value_or("") + " ";
    }
    std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return kind;
}

Result<BpeParts> read_bpe_files(const std::filesystem::path& folder) {
    BpeParts files;
    auto path = folder / "vocab.json";
    ROOTSTOCK_TRY(text, read_file(path));
    auto value = parse_json(text, path.string());
    if (!value) return fail(ErrorCode::corrupt, value.error().message);
    ROOTSTOCK_TRY(vocabulary, read_vocabulary(&*value, path.string()));
    files.vocabulary = std::move(vocabulary);
    auto merges_path = folder / "merges.txt";
    ROOTSTOCK_TRY(lines, read_file(merges_path));
    std::string_view rest = lines;
    for (bool first = true; !rest.empty(); first = false) {
        auto end = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || (first && line.starts_with("#version"))) continue;
        auto space = line.find(' ');
        if (space == std::string_view::npos)
            return fail(ErrorCode::corrupt,
                        merges_path.string() + ": '" + std::string(line) + "' is no merge of two tokens");
        files.merges.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1))});
    }
    return files;
}

// <s> A </s> </s> B </s>, or nothing around for GPT-2.
Result<void> add_roberta_specials(const std::filesystem::path& path, bool prefix_space, TokenizerParts& parts) {
    ROOTSTOCK_TRY(cls, added_step(parts.cls_token, path, parts));
    ROOTSTOCK_TRY(sep, added_step(parts.sep_token, path, parts));
    TemplateStep first{TemplateStep::Kind::first_text, 0, {}, {}}, second{TemplateStep::Kind::second_text, 0, {}, {}};
    parts.post_processor = {{cls, first, sep}, {cls, first, sep, sep, second, sep}, {prefix_space}};
    for (const auto* token : {"<unk>", "<pad>"})
        if (auto id = parts.model->id(token)) parts.added.add({.content = token, .id = *id, .special = true});
    if (auto id = parts.model->id("<mask>"))
        parts.added.add({.content = "<mask>", .id = *id, .lstrip = true, .special = true});
    return {};
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
    parts.pre_tokenizers.push_back(std::make_unique<BertPreTokenizer>());
    parts.decoder = std::make_unique<WordPieceDecoder>("##", true);
    ROOTSTOCK_TRY(cls, special_step(*parts.model, parts.cls_token, 0, path));
    ROOTSTOCK_TRY(sep, special_step(*parts.model, parts.sep_token, 0, path));
    ROOTSTOCK_TRY(last, special_step(*parts.model, parts.sep_token, 1, path));
    TemplateStep first{Kind::first_text, 0, {}, {}}, second{Kind::second_text, 1, {}, {}};
    parts.post_processor = {{cls, first, sep}, {cls, first, sep, second, last}, {}};
    for (const auto& token :
         {options.unknown_token, parts.sep_token, parts.pad_token, parts.cls_token, config.mask.value_or("[MASK]")})
        if (auto id = parts.model->id(token)) parts.added.add({.content = token, .id = *id, .special = true});
    return parts;
}

Result<TokenizerParts> read_byte_level_folder(const std::filesystem::path& folder) {
    auto path = folder / "vocab.json";
    ROOTSTOCK_TRY(config, read_config(folder));
    ROOTSTOCK_TRY(files, read_bpe_files(folder));
    auto model = Bpe::make(std::move(files.vocabulary), files.merges, {});
    if (!model) return fail(ErrorCode::corrupt, path.string() + ": " + model.error().message);
    TokenizerParts parts;
    parts.model = std::move(*model);
    ROOTSTOCK_TRY(pre_tokenizer, ByteLevelPreTokenizer::make(config.prefix_space, true));
    parts.pre_tokenizers.push_back(std::move(pre_tokenizer));
    parts.decoder = std::make_unique<ByteLevelDecoder>();
    bool roberta =
        kind_of(folder).find("roberta") != std::string::npos || (parts.model->id("<s>") && parts.model->id("</s>"));
    parts.pad_token = roberta ? "<pad>" : "<|endoftext|>";
    parts.cls_token = roberta ? "<s>" : parts.pad_token;
    parts.sep_token = roberta ? "</s>" : parts.pad_token;
    take_names(config, parts);
    if (roberta) {
        ROOTSTOCK_CHECKED(add_roberta_specials(path, config.prefix_space, parts));
    } else if (auto id = parts.model->id("<|endoftext|>")) {
        parts.added.add({.content = "<|endoftext|>", .id = *id, .special = true});
    }
    return parts;
}

Result<TokenizerParts> read_sentencepiece_folder(const std::filesystem::path& folder,
                                                 const std::filesystem::path& file) {
    ROOTSTOCK_TRY(bytes, read_file(file));
    ROOTSTOCK_TRY(model, read_sentencepiece_model(bytes, file.string()));
    ROOTSTOCK_TRY(parts, parts_of(model, file.string()));
    ROOTSTOCK_TRY(config, read_config(folder));
    parts.pad_token = "<pad>";
    parts.cls_token = config.bos.value_or("<s>");
    parts.sep_token = config.eos.value_or("</s>");
    take_names(config, parts);
    auto kind = kind_of(folder);
    bool t5 = kind.find("t5") != std::string::npos;
    bool llama = kind.find("llama") != std::string::npos || kind.find("mistral") != std::string::npos;
    std::vector<TemplateStep> before, after;
    if (config.add_bos.value_or(llama)) {
        ROOTSTOCK_TRY(step, added_step(config.bos.value_or("<s>"), file, parts));
        before.push_back(std::move(step));
    }
    if (config.add_eos.value_or(t5)) {
        ROOTSTOCK_TRY(step, added_step(config.eos.value_or("</s>"), file, parts));
        after.push_back(std::move(step));
    }
    auto around = [&](TemplateStep::Kind text, std::int32_t type, std::vector<TemplateStep>& steps) {
        for (auto step : before) step.type_id = type, steps.push_back(step);
        steps.push_back({text, type, {}, {}});
        for (auto step : after) step.type_id = type, steps.push_back(step);
    };
    parts.post_processor = {{}, {}, {}};
    around(TemplateStep::Kind::first_text, 0, parts.post_processor.single);
    around(TemplateStep::Kind::first_text, 0, parts.post_processor.pair);
    around(TemplateStep::Kind::second_text, llama ? 1 : 0, parts.post_processor.pair);
    return std::move(parts);
}

Result<void> apply_tokenizer_config(const std::filesystem::path& folder, TokenizerParts& parts) {
    ROOTSTOCK_TRY(config, read_config(folder));
    take_names(config, parts);
    return {};
}

}  // namespace rootstock
