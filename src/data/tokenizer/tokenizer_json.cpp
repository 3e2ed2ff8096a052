// tokenizer.json: one object per piece, named by its "type". What this build does not know is refused by name.

#include <algorithm>

#include "data/tokenizer/bert_normalizer.h"
#include "data/tokenizer/bert_pre_tokenizer.h"
#include "data/tokenizer/parts.h"
#include "data/tokenizer/wordpiece.h"
#include "data/tokenizer/wordpiece_decoder.h"

namespace rootstock {
namespace {

constexpr std::int64_t token_id_max = 1 << 24;

std::string type_of(const json::value& value) {
    const auto* object = value.if_object();
    const auto* type = object ? object->if_contains("type") : nullptr;
    return type && type->is_string() ? std::string(type->get_string()) : std::string();
}

std::unexpected<Error> unknown_type(std::string_view what, std::string_view piece, const std::string& type) {
    return fail(ErrorCode::unsupported,
                std::string(what) + ": the " + std::string(piece) + " type '" + type +
                    "' is not known to this build; it reads tokenizers of BERT's kind (WordPiece)",
                std::string(piece));
}

// A file that contradicts itself is corrupt, whoever asked for it.
std::unexpected<Error> damaged(Error error) {
    if (error.code == ErrorCode::invalid_argument) error.code = ErrorCode::corrupt;
    return std::unexpected(std::move(error));
}

std::unexpected<Error> damaged(std::string_view what, std::string sentence) {
    return fail(ErrorCode::corrupt, std::string(what) + ": " + std::move(sentence));
}

Result<std::unique_ptr<Normalizer>> read_normalizer(const json::value* value, std::string_view what) {
    if (!value || value->is_null()) return nullptr;
    if (auto type = type_of(*value); type != "BertNormalizer") return unknown_type(what, "normalizer", type);
    JsonFields fields(*value, std::string(what) + ", normalizer");
    fields.ignore_others();
    BertNormalizerOptions options;
    options.clean_text = fields.optional_bool("clean_text", true);
    options.handle_chinese_chars = fields.optional_bool("handle_chinese_chars", true);
    options.lowercase = fields.optional_bool("lowercase", true);
    const auto* strip = fields.optional_value("strip_accents");
    if (strip && strip->is_bool()) options.strip_accents = strip->get_bool();
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    return std::make_unique<BertNormalizer>(options);
}

Result<std::unique_ptr<PreTokenizer>> read_pre_tokenizer(const json::value* value, std::string_view what) {
    if (!value || value->is_null()) return nullptr;
    if (auto type = type_of(*value); type != "BertPreTokenizer") return unknown_type(what, "pre_tokenizer", type);
    return std::make_unique<BertPreTokenizer>();
}

Result<std::unique_ptr<Decoder>> read_decoder(const json::value* value, std::string_view what) {
    if (!value || value->is_null()) return nullptr;
    if (auto type = type_of(*value); type != "WordPiece") return unknown_type(what, "decoder", type);
    JsonFields fields(*value, std::string(what) + ", decoder");
    fields.ignore_others();
    auto prefix = fields.optional_string("prefix", "##");
    auto cleanup = fields.optional_bool("cleanup", true);
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    return std::make_unique<WordPieceDecoder>(prefix, cleanup);
}

Result<std::unique_ptr<TokenModel>> read_model(const json::value* value, std::string_view what) {
    const auto* object = value ? value->if_object() : nullptr;
    if (!object) return damaged(what, "'model' is missing");
    // Files of early versions carry no type; only WordPiece has a continuing prefix beside a vocabulary object.
    bool untyped = !object->contains("type") && object->contains("continuing_subword_prefix");
    if (auto type = type_of(*value); type != "WordPiece" && !untyped) return unknown_type(what, "model", type);
    JsonFields fields(*value, std::string(what) + ", model");
    fields.ignore_others();
    WordPieceOptions options;
    options.unknown_token = fields.optional_string("unk_token", options.unknown_token);
    options.continuing_prefix = fields.optional_string("continuing_subword_prefix", options.continuing_prefix);
    options.max_chars_per_word = static_cast<std::size_t>(fields.optional_int(
        "max_input_chars_per_word", static_cast<std::int64_t>(options.max_chars_per_word), 1, 1 << 20));
    const auto* entries = fields.required_value("vocab");
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    if (!entries->is_object()) return damaged(what, "'vocab' must map tokens to ids");
    std::vector<VocabularyEntry> vocabulary;
    vocabulary.reserve(entries->get_object().size());
    for (const auto& [token, id] : entries->get_object()) {
        if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > token_id_max)
            return damaged(what, "token '" + std::string(token) + "' has no usable id");
        vocabulary.push_back({std::string(token), static_cast<std::int32_t>(id.get_int64())});
    }
    auto model = WordPiece::make(std::move(vocabulary), std::move(options));
    if (!model) return damaged(what, model.error().message);
    return std::move(*model);
}

Result<AddedToken> read_added_token(const json::value& value, std::string_view what) {
    JsonFields fields(value, std::string(what) + ", added_tokens");
    fields.ignore_others();
    AddedToken token;
    token.id = static_cast<std::int32_t>(fields.required_int("id", 0, token_id_max));
    token.content = fields.required_string("content");
    token.special = fields.optional_bool("special", false);
    token.single_word = fields.optional_bool("single_word", false);
    token.lstrip = fields.optional_bool("lstrip", false);
    token.rstrip = fields.optional_bool("rstrip", false);
    token.normalized = fields.optional_bool("normalized", !token.special);
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    return token;
}

Result<void> read_added_tokens(const json::value* value, std::string_view what, TokenizerParts& parts) {
    const auto* list = value ? value->if_array() : nullptr;
    if (!list) return {};
    for (const auto& entry : *list) {
        ROOTSTOCK_TRY(token, read_added_token(entry, what));
        auto in_model = parts.model->id(token.content);
        if (in_model && *in_model != token.id)
            return damaged(what, "token '" + token.content + "' has id " + std::to_string(token.id) +
                                     " among the added tokens but " + std::to_string(*in_model) + " in the vocabulary");
        parts.added.push_back(std::move(token));
    }
    return {};
}

// ["[SEP]", 102] of BertProcessing.
Result<TemplateStep> read_named_special(const json::value* value, std::string_view what, std::int32_t type_id) {
    const auto* pair = value ? value->if_array() : nullptr;
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_int64())
        return damaged(what, "post_processor 'sep' and 'cls' must be [token, id]");
    return TemplateStep{TemplateStep::Kind::special,
                        type_id,
                        {static_cast<std::int32_t>((*pair)[1].get_int64())},
                        {std::string((*pair)[0].get_string())}};
}

Result<PostProcessor> read_bert_processing(const json::object& object, std::string_view what) {
    using Kind = TemplateStep::Kind;
    ROOTSTOCK_TRY(cls, read_named_special(object.if_contains("cls"), what, 0));
    ROOTSTOCK_TRY(sep, read_named_special(object.if_contains("sep"), what, 0));
    auto second_sep = sep;
    second_sep.type_id = 1;
    TemplateStep first{Kind::first_text, 0, {}, {}}, second{Kind::second_text, 1, {}, {}};
    return PostProcessor{{cls, first, sep}, {cls, first, sep, second, second_sep}};
}

Result<TemplateStep> read_template_step(const json::value& value, const json::object& specials, std::string_view what) {
    using Kind = TemplateStep::Kind;
    const auto* object = value.if_object();
    if (!object || object->size() != 1) return damaged(what, "a step of the template is no object with one member");
    JsonFields fields(object->begin()->value(), std::string(what) + ", post_processor");
    auto id = fields.required_string("id");
    auto type_id = static_cast<std::int32_t>(fields.optional_int("type_id", 0, 0, 1 << 16));
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    if (object->begin()->key() == "Sequence")
        return TemplateStep{id == "B" ? Kind::second_text : Kind::first_text, type_id, {}, {}};
    const auto* special = specials.if_contains(id);
    if (!special || !special->is_object())
        return damaged(what, "the template names '" + id + "', which special_tokens does not explain");
    TemplateStep step{Kind::special, type_id, {}, {}};
    JsonFields explained(*special, std::string(what) + ", post_processor");
    explained.ignore_others();
    const auto* ids = explained.required_value("ids");
    step.tokens = explained.optional_strings("tokens");
    if (auto finished = explained.finish(); !finished) return damaged(finished.error());
    for (const auto& one : ids->is_array() ? ids->get_array() : json::array()) {
        if (!one.is_int64()) return damaged(what, "'" + id + "' of the template has an id that is no whole number");
        step.ids.push_back(static_cast<std::int32_t>(one.get_int64()));
    }
    if (step.ids.empty() || step.ids.size() != step.tokens.size())
        return damaged(what, "'" + id + "' of the template needs as many ids as tokens");
    return step;
}

Result<std::vector<TemplateStep>> read_template(const json::object& object, std::string_view key,
                                                std::string_view what) {
    const auto* list = object.if_contains(key);
    const auto* specials = object.if_contains("special_tokens");
    if (!list || !list->is_array() || !specials || !specials->is_object())
        return damaged(what, "post_processor lacks '" + std::string(key) + "' or 'special_tokens'");
    std::vector<TemplateStep> steps;
    for (const auto& value : list->get_array()) {
        ROOTSTOCK_TRY(step, read_template_step(value, specials->get_object(), what));
        if (key == "single" && step.kind == TemplateStep::Kind::second_text)
            return damaged(what, "the template for a single text names a second one");
        steps.push_back(std::move(step));
    }
    return steps;
}

Result<PostProcessor> read_post_processor(const json::value* value, std::string_view what) {
    if (!value || value->is_null()) return PostProcessor{};
    auto type = type_of(*value);
    if (type == "BertProcessing") return read_bert_processing(value->get_object(), what);
    if (type != "TemplateProcessing") return unknown_type(what, "post_processor", type);
    ROOTSTOCK_TRY(single, read_template(value->get_object(), "single", what));
    ROOTSTOCK_TRY(pair, read_template(value->get_object(), "pair", what));
    return PostProcessor{std::move(single), std::move(pair)};
}

void read_settings(const json::object& file, TokenizerParts& parts) {
    const auto* truncation = file.if_contains("truncation");
    if (const auto* object = truncation ? truncation->if_object() : nullptr)
        if (const auto* length = object->if_contains("max_length"); length && length->is_int64())
            parts.file_max_tokens =
                static_cast<std::int32_t>(std::clamp<std::int64_t>(length->get_int64(), 0, 1 << 24));
    const auto* padding = file.if_contains("padding");
    if (const auto* object = padding ? padding->if_object() : nullptr)
        if (const auto* token = object->if_contains("pad_token"); token && token->is_string())
            parts.pad_token = std::string(token->get_string());
}

}  // namespace

Result<TokenizerParts> read_tokenizer_json(std::string_view text, std::string_view what) {
    auto file = parse_json(text, what);
    if (!file) return damaged(file.error());
    const auto* object = file->if_object();
    if (!object) return damaged(what, "must be a JSON object");
    TokenizerParts parts;
    ROOTSTOCK_TRY(model, read_model(object->if_contains("model"), what));
    parts.model = std::move(model);
    ROOTSTOCK_TRY(normalizer, read_normalizer(object->if_contains("normalizer"), what));
    parts.normalizer = std::move(normalizer);
    ROOTSTOCK_TRY(pre_tokenizer, read_pre_tokenizer(object->if_contains("pre_tokenizer"), what));
    parts.pre_tokenizer = std::move(pre_tokenizer);
    ROOTSTOCK_TRY(decoder, read_decoder(object->if_contains("decoder"), what));
    parts.decoder = std::move(decoder);
    ROOTSTOCK_TRY(post_processor, read_post_processor(object->if_contains("post_processor"), what));
    parts.post_processor = std::move(post_processor);
    ROOTSTOCK_CHECKED(read_added_tokens(object->if_contains("added_tokens"), what, parts));
    read_settings(*object, parts);
    return parts;
}

}  // namespace rootstock
