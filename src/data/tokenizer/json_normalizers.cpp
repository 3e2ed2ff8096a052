#include "data/tokenizer/bert_normalizer.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/json_parts.h"
#include "data/tokenizer/normalizers.h"
#include "data/tokenizer/precompiled.h"
#include "data/tokenizer/unicode_forms.h"

namespace rootstock {
namespace {

using Made = Result<std::unique_ptr<Normalizer>>;

Made read_bert(JsonFields& fields) {
    BertNormalizerOptions options;
    options.clean_text = fields.optional_bool("clean_text", true);
    options.handle_chinese_chars = fields.optional_bool("handle_chinese_chars", true);
    options.lowercase = fields.optional_bool("lowercase", true);
    const auto* strip = fields.optional_value("strip_accents");
    if (strip && strip->is_bool()) options.strip_accents = strip->get_bool();
    return std::make_unique<BertNormalizer>(options);
}

Made read_replace(JsonFields& fields, std::string_view what) {
    const auto* pattern = fields.required_value("pattern");
    auto content = fields.required_string("content");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(text, read_pattern_text(pattern, what));
    if (!text.regex && !text.text.empty())
        return std::make_unique<ReplaceTextNormalizer>(std::move(text.text), std::move(content));
    ROOTSTOCK_TRY(compiled, read_pattern(pattern, what));
    return std::make_unique<ReplaceNormalizer>(std::move(compiled), std::move(content));
}

Made read_precompiled(JsonFields& fields, std::string_view what) {
    auto text = fields.optional_string("precompiled_charsmap", "");
    ROOTSTOCK_CHECKED(fields.finish());
    auto blob = from_base64(text);
    if (!blob) return damaged(what, "'precompiled_charsmap' is no Base64");
    auto made = PrecompiledNormalizer::make(*blob);
    if (!made) return damaged(what, made.error().message);
    return std::move(*made);
}

Made read_chain(const json::value& value, std::string_view what, int depth) {
    ROOTSTOCK_TRY(members, read_sequence(value, "normalizers", what, depth));
    std::vector<std::unique_ptr<Normalizer>> steps;
    for (const auto& member : *members) {
        ROOTSTOCK_TRY(step, read_normalizer(&member, what, depth + 1));
        if (!step) return damaged(what, "a normalizer of a Sequence is null");
        steps.push_back(std::move(step));
    }
    return std::make_unique<NormalizerChain>(std::move(steps));
}

Made read_type(const std::string& type, const json::value& value, std::string_view what, JsonFields& fields,
               int depth) {
    if (type == "BertNormalizer") return read_bert(fields);
    if (type == "Sequence") return read_chain(value, what, depth);
    if (type == "Strip") {
        auto left = fields.optional_bool("strip_left", true), right = fields.optional_bool("strip_right", true);
        return std::make_unique<StripNormalizer>(left, right);
    }
    if (type == "StripAccents") return std::make_unique<StripAccentsNormalizer>();
    if (type == "NFC") return std::make_unique<UnicodeFormNormalizer>(UnicodeForm::nfc);
    if (type == "NFD") return std::make_unique<UnicodeFormNormalizer>(UnicodeForm::nfd);
    if (type == "NFKC") return std::make_unique<UnicodeFormNormalizer>(UnicodeForm::nfkc);
    if (type == "NFKD") return std::make_unique<UnicodeFormNormalizer>(UnicodeForm::nfkd);
    if (type == "Lowercase") return std::make_unique<LowercaseNormalizer>();
    if (type == "Nmt") return std::make_unique<NmtNormalizer>();
    if (type == "Precompiled") return read_precompiled(fields, what);
    if (type == "Replace") return read_replace(fields, what);
    if (type == "Prepend") return std::make_unique<PrependNormalizer>(fields.required_string("prepend"));
    if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
    return unknown_type(what, "normalizer", type);
}

}  // namespace

Result<std::unique_ptr<Normalizer>> read_normalizer(const json::value* value, std::string_view what, int depth) {
    if (!value || value->is_null()) return nullptr;
    JsonFields fields(*value, std::string(what) + ", normalizer");
    fields.ignore_others();
    auto made = read_type(type_of(*value), *value, what, fields, depth);
    if (!made) return damaged(made.error());
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    return made;
}

}  // namespace rootstock
