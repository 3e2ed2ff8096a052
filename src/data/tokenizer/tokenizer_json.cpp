// tokenizer.json: one object per piece, named by its "type". What this build does not know is refused by name.

#include <algorithm>

#include "data/tokenizer/decoders.h"
#include "data/tokenizer/json_parts.h"

namespace rootstock {

std::string type_of(const json::value& value) {
    const auto* object = value.if_object();
    const auto* type = object ? object->if_contains("type") : nullptr;
    return type && type->is_string() ? std::string(type->get_string()) : std::string();
}

std::unexpected<Error> unknown_type(std::string_view what, std::string_view piece, const std::string& type) {
    return fail(ErrorCode::unsupported,
                std::string(what) + ": the " + std::string(piece) + " type '" + type + "' is not known to this build",
                std::string(piece));
}

std::unexpected<Error> damaged(Error error) {
    if (error.code == ErrorCode::invalid_argument) error.code = ErrorCode::corrupt;
    return std::unexpected(std::move(error));
}

std::unexpected<Error> damaged(std::string_view what, std::string sentence) {
    return fail(ErrorCode::corrupt, std::string(what) + ": " + std::move(sentence));
}

Result<PatternText> read_pattern_text(const json::value* value, std::string_view what) {
    if (value && value->is_string()) return PatternText{std::string(value->get_string()), false};
    const auto* object = value ? value->if_object() : nullptr;
    const auto* text = object ? object->if_contains("String") : nullptr;
    const auto* regex = object ? object->if_contains("Regex") : nullptr;
    const auto* chosen = text ? text : regex;
    if (!chosen || !chosen->is_string())
        return damaged(what, "'pattern' must be {\"String\": ...} or {\"Regex\": ...}");
    return PatternText{std::string(chosen->get_string()), !text};
}

Result<Pattern> read_pattern(const json::value* value, std::string_view what) {
    ROOTSTOCK_TRY(text, read_pattern_text(value, what));
    return text.regex ? Pattern::compile(text.text, what) : Pattern::literal(text.text);
}

Result<const json::array*> read_sequence(const json::value& value, std::string_view key, std::string_view what,
                                         int depth) {
    if (depth >= sequence_depth_max) return damaged(what, "too many sequences within each other");
    const auto* list = value.get_object().if_contains(key);
    if (!list || !list->is_array()) return damaged(what, "a Sequence lacks its list '" + std::string(key) + "'");
    return &list->get_array();
}

namespace {

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

// As the reference numbers them: the model's id where it knows the token, else the next free one.
Result<void> read_added_tokens(const json::value* value, std::string_view what, TokenizerParts& parts) {
    const auto* list = value ? value->if_array() : nullptr;
    if (!list) return {};
    auto next = static_cast<std::int32_t>(parts.model->vocabulary().size());
    for (const auto& entry : *list) {
        ROOTSTOCK_TRY(token, read_added_token(entry, what));
        if (token.content.empty()) continue;
        auto in_model = parts.model->id(token.content);
        if (in_model && *in_model != token.id)
            return damaged(what, "token '" + token.content + "' has id " + std::to_string(token.id) +
                                     " among the added tokens but " + std::to_string(*in_model) + " in the vocabulary");
        const auto* before = parts.added.by_content(token.content);
        token.id = in_model ? *in_model : before ? before->id : next;
        next = std::max(next, token.id + 1);
        parts.added.add(std::move(token));
    }
    return {};
}

std::string text_under(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int32_t number_under(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_int64()
               ? static_cast<std::int32_t>(std::clamp<std::int64_t>(value->get_int64(), 0, 1 << 24))
               : 0;
}

void read_truncation(const json::object& object, TokenizerParts& parts) {
    auto strategy = text_under(object, "strategy");
    parts.truncation = FileTruncation{number_under(object, "max_length"), number_under(object, "stride"),
                                      strategy == "OnlyFirst"    ? Truncation::only_first
                                      : strategy == "OnlySecond" ? Truncation::only_second
                                                                 : Truncation::longest_first,
                                      text_under(object, "direction") == "Left"};
    parts.file_max_tokens = parts.truncation->max_tokens;
}

void read_padding(const json::object& object, TokenizerParts& parts) {
    FilePadding padding;
    padding.id = number_under(object, "pad_id");
    padding.type_id = number_under(object, "pad_type_id");
    padding.token = text_under(object, "pad_token");
    padding.on_the_left = text_under(object, "direction") == "Left";
    padding.multiple = number_under(object, "pad_to_multiple_of");
    if (const auto* strategy = object.if_contains("strategy"); strategy && strategy->is_object())
        padding.length = number_under(strategy->get_object(), "Fixed");
    if (!padding.token.empty()) parts.pad_token = padding.token;
    parts.padding = std::move(padding);
}

void read_settings(const json::object& file, TokenizerParts& parts) {
    const auto* truncation = file.if_contains("truncation");
    if (truncation && truncation->is_object()) read_truncation(truncation->get_object(), parts);
    const auto* padding = file.if_contains("padding");
    if (padding && padding->is_object()) read_padding(padding->get_object(), parts);
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
    ROOTSTOCK_CHECKED(read_pre_tokenizers(object->if_contains("pre_tokenizer"), what, parts.pre_tokenizers));
    ROOTSTOCK_TRY(decoder, read_decoder(object->if_contains("decoder"), what));
    parts.decoder = std::move(decoder);
    ROOTSTOCK_TRY(post_processor, read_post_processor(object->if_contains("post_processor"), what));
    parts.post_processor = std::move(post_processor);
    ROOTSTOCK_CHECKED(read_added_tokens(object->if_contains("added_tokens"), what, parts));
    read_settings(*object, parts);
    return parts;
}

}  // namespace rootstock
