#include "data/tokenizer/bpe.h"
#include "data/tokenizer/json_parts.h"
#include "data/tokenizer/unigram.h"
#include "data/tokenizer/word_level.h"
#include "data/tokenizer/wordpiece.h"

namespace rootstock {

Result<std::vector<VocabularyEntry>> read_vocabulary(const json::value* value, std::string_view what) {
    const auto* entries = value ? value->if_object() : nullptr;
    if (!entries) return damaged(what, "'vocab' must map tokens to ids");
    std::vector<VocabularyEntry> vocabulary;
    vocabulary.reserve(entries->size());
    for (const auto& [token, id] : *entries) {
        if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > token_id_max)
            return damaged(what, "token '" + std::string(token) + "' has no usable id");
        vocabulary.push_back({std::string(token), static_cast<std::int32_t>(id.get_int64())});
    }
    return vocabulary;
}

namespace {

using Made = Result<std::unique_ptr<TokenModel>>;

// A string, or "" for null and absent.
std::string text_or_null(JsonFields& fields, std::string_view key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return {};
    if (!value->is_string()) fields.fault(key, "must be a string or null");
    return value->is_string() ? std::string(value->get_string()) : std::string();
}

// ["a", "b"], or "a b" in older files.
Result<Merge> read_merge(const json::value& value, std::string_view what) {
    if (const auto* text = value.if_string()) {
        std::string_view both(*text);
        auto space = both.find(' ');
        if (space != std::string_view::npos && both.find(' ', space + 1) == std::string_view::npos)
            return Merge{std::string(both.substr(0, space)), std::string(both.substr(space + 1))};
    } else if (const auto* pair = value.if_array(); pair && pair->size() == 2) {
        if ((*pair)[0].is_string() && (*pair)[1].is_string())
            return Merge{std::string((*pair)[0].get_string()), std::string((*pair)[1].get_string())};
    }
    return damaged(what, "a merge must be [\"a\", \"b\"] or \"a b\"");
}

Made read_bpe(JsonFields& fields, std::string_view what) {
    BpeOptions options;
    fields.optional_number("dropout", 0, 0, 1);  // only learning uses it
    options.unknown_token = text_or_null(fields, "unk_token");
    options.continuing_prefix = text_or_null(fields, "continuing_subword_prefix");
    options.end_suffix = text_or_null(fields, "end_of_word_suffix");
    options.fuse_unknown = fields.optional_bool("fuse_unk", false);
    options.byte_fallback = fields.optional_bool("byte_fallback", false);
    options.ignore_merges = fields.optional_bool("ignore_merges", false);
    const auto* entries = fields.required_value("vocab");
    const auto* list = fields.required_value("merges");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(vocabulary, read_vocabulary(entries, what));
    if (!list->is_array()) return damaged(what, "'merges' must be a list");
    std::vector<Merge> merges;
    for (const auto& value : list->get_array()) {
        ROOTSTOCK_TRY(merge, read_merge(value, what));
        merges.push_back(std::move(merge));
    }
    return Bpe::make(std::move(vocabulary), merges, std::move(options));
}

Made read_unigram(JsonFields& fields, std::string_view what) {
    const auto* unknown = fields.optional_value("unk_id");
    auto byte_fallback = fields.optional_bool("byte_fallback", false);
    const auto* list = fields.required_value("vocab");
    ROOTSTOCK_CHECKED(fields.finish());
    std::optional<std::int32_t> unknown_id;
    if (unknown && unknown->is_int64())
        unknown_id = static_cast<std::int32_t>(
            std::min<std::int64_t>(std::max<std::int64_t>(unknown->get_int64(), -1), INT32_MAX));
    if (!list->is_array()) return damaged(what, "'vocab' of a Unigram model must be a list of [piece, score]");
    std::vector<UnigramPiece> pieces;
    for (const auto& entry : list->get_array()) {
        const auto* pair = entry.if_array();
        if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_number())
            return damaged(what, "'vocab' of a Unigram model must be a list of [piece, score]");
        pieces.push_back({std::string((*pair)[0].get_string()), (*pair)[1].to_number<double>()});
    }
    return Unigram::make(std::move(pieces), unknown_id, byte_fallback);
}

Made read_wordpiece(JsonFields& fields, std::string_view what) {
    WordPieceOptions options;
    options.unknown_token = fields.optional_string("unk_token", options.unknown_token);
    options.continuing_prefix = fields.optional_string("continuing_subword_prefix", options.continuing_prefix);
    options.max_chars_per_word = static_cast<std::size_t>(fields.optional_int(
        "max_input_chars_per_word", static_cast<std::int64_t>(options.max_chars_per_word), 1, 1 << 20));
    const auto* entries = fields.required_value("vocab");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(vocabulary, read_vocabulary(entries, what));
    return WordPiece::make(std::move(vocabulary), std::move(options));
}

Made read_word_level(JsonFields& fields, std::string_view what) {
    auto unknown = fields.optional_string("unk_token", "<unk>");
    const auto* entries = fields.required_value("vocab");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(vocabulary, read_vocabulary(entries, what));
    return WordLevel::make(std::move(vocabulary), std::move(unknown));
}

// Files of early versions carry no type; their fields tell.
std::string model_type(const json::object& object) {
    if (object.contains("type")) return type_of(object);
    if (object.contains("merges")) return "BPE";
    if (object.contains("max_input_chars_per_word") || object.contains("continuing_subword_prefix")) return "WordPiece";
    const auto* vocabulary = object.if_contains("vocab");
    if (vocabulary && vocabulary->is_array()) return "Unigram";
    return vocabulary ? "WordLevel" : "";
}

}  // namespace

Result<std::unique_ptr<TokenModel>> read_model(const json::value* value, std::string_view what) {
    const auto* object = value ? value->if_object() : nullptr;
    if (!object) return damaged(what, "'model' is missing");
    auto type = model_type(*object);
    JsonFields fields(*value, std::string(what) + ", model");
    fields.ignore_others();
    auto made = type == "BPE"         ? read_bpe(fields, what)
                : type == "Unigram"   ? read_unigram(fields, what)
                : type == "WordPiece" ? read_wordpiece(fields, what)
                : type == "WordLevel" ? read_word_level(fields, what)
                                      : Made(unknown_type(what, "model", type));
    if (made) return made;
    auto error = std::move(made.error());
    if (!error.message.starts_with(what)) error.message = std::string(what) + ": " + error.message;
    return damaged(std::move(error));
}

}  // namespace rootstock
