#include "data/text/utf8.h"
#include "data/tokenizer/bert_pre_tokenizer.h"
#include "data/tokenizer/byte_level.h"
#include "data/tokenizer/json_parts.h"
#include "data/tokenizer/metaspace.h"
#include "data/tokenizer/word_splitters.h"

namespace rootstock {

Result<PrependScheme> read_prepend_scheme(const json::value& value, std::string_view what) {
    JsonFields fields(value, std::string(what) + ", Metaspace");
    fields.ignore_others();
    const auto* space = fields.optional_value("add_prefix_space");
    auto scheme = fields.optional_string("prepend_scheme", "always");
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    bool without = space && space->is_bool() && !space->get_bool();
    if (without || scheme == "never") return PrependScheme::never;
    if (scheme == "always") return PrependScheme::always;
    if (scheme == "first") return PrependScheme::first;
    return damaged(what, "'prepend_scheme' must be first, never or always, not '" + scheme + "'");
}

namespace {

using Made = Result<std::unique_ptr<PreTokenizer>>;

Result<SplitBehavior> behavior_of(const std::string& name, std::string_view what) {
    if (name == "Removed") return SplitBehavior::removed;
    if (name == "Isolated") return SplitBehavior::isolated;
    if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
    if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
    if (name == "Contiguous") return SplitBehavior::contiguous;
    return damaged(what, "the split behavior '" + name + "' does not exist");
}

Made read_split(JsonFields& fields, std::string_view what) {
    const auto* pattern = fields.required_value("pattern");
    auto behavior_name = fields.required_string("behavior");
    auto invert = fields.optional_bool("invert", false);
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(behavior, behavior_of(behavior_name, what));
    ROOTSTOCK_TRY(compiled, read_pattern(pattern, what));
    return std::make_unique<PatternSplit>(std::move(compiled), behavior, invert);
}

Made read_metaspace(const json::value& value, JsonFields& fields, std::string_view what) {
    auto replacement = fields.optional_string("replacement", "\u2581");
    auto cuts = fields.optional_bool("split", true);
    ROOTSTOCK_CHECKED(fields.finish());
    if (count_code_points(replacement) != 1) return damaged(what, "'replacement' must be one character");
    ROOTSTOCK_TRY(scheme, read_prepend_scheme(value, what));
    return std::make_unique<MetaspacePreTokenizer>(std::move(replacement), scheme, cuts);
}

Made read_delimiter(JsonFields& fields, std::string_view what) {
    auto delimiter = fields.required_string("delimiter");
    ROOTSTOCK_CHECKED(fields.finish());
    if (delimiter.empty() || count_code_points(delimiter) != 1)
        return damaged(what, "'delimiter' must be one character");
    return std::make_unique<CharacterSplit>(&CharacterSplit::equal, SplitBehavior::removed,
                                            decode_utf8(delimiter).code_point);
}

Made read_type(const std::string& type, const json::value& value, JsonFields& fields, std::string_view what) {
    if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
    if (type == "ByteLevel") {
        auto prefix = fields.optional_bool("add_prefix_space", true), words = fields.optional_bool("use_regex", true);
        return ByteLevelPreTokenizer::make(prefix, words);
    }
    if (type == "CharDelimiterSplit" || type == "Delimiter") return read_delimiter(fields, what);
    if (type == "Metaspace") return read_metaspace(value, fields, what);
    if (type == "Whitespace") return std::make_unique<WordsSplit>();
    if (type == "WhitespaceSplit")
        return std::make_unique<CharacterSplit>(&CharacterSplit::white_space, SplitBehavior::removed);
    if (type == "Split") return read_split(fields, what);
    if (type == "Punctuation") {
        ROOTSTOCK_TRY(behavior, behavior_of(fields.optional_string("behavior", "Isolated"), what));
        return std::make_unique<CharacterSplit>(&CharacterSplit::punctuation, behavior);
    }
    if (type == "Digits") {
        bool each = fields.optional_bool("individual_digits", false);
        return std::make_unique<CharacterSplit>(&CharacterSplit::number,
                                                each ? SplitBehavior::isolated : SplitBehavior::contiguous);
    }
    if (type == "UnicodeScripts") return std::make_unique<UnicodeScriptsSplit>();
    if (type == "FixedLength")
        return std::make_unique<FixedLengthSplit>(
            static_cast<std::size_t>(fields.optional_int("length", 5, 1, std::int64_t{1} << 32)));
    return unknown_type(what, "pre_tokenizer", type);
}

}  // namespace

Result<void> read_pre_tokenizers(const json::value* value, std::string_view what,
                                 std::vector<std::unique_ptr<PreTokenizer>>& steps, int depth) {
    if (!value || value->is_null()) return {};
    auto type = type_of(*value);
    if (type == "Sequence") {
        ROOTSTOCK_TRY(members, read_sequence(*value, "pretokenizers", what, depth));
        for (const auto& member : *members) ROOTSTOCK_CHECKED(read_pre_tokenizers(&member, what, steps, depth + 1));
        return {};
    }
    JsonFields fields(*value, std::string(what) + ", pre_tokenizer");
    fields.ignore_others();
    auto made = read_type(type, *value, fields, what);
    if (!made) return damaged(made.error());
    if (auto finished = fields.finish(); !finished) return damaged(finished.error());
    steps.push_back(std::move(*made));
    return {};
}

}  // namespace rootstock
