#pragma once
// The readers of tokenizer.json, one per kind of piece. Types that this build does not know are refused by name;
// what contradicts itself is corrupt.

#include "data/tokenizer/metaspace.h"
#include "data/tokenizer/parts.h"
#include "data/tokenizer/pattern.h"

namespace rootstock {

// How deep "Sequence" pieces may stand within each other.
constexpr int sequence_depth_max = 16;
constexpr std::int64_t token_id_max = 1 << 24;

// The "type" of a piece; empty when it has none.
std::string type_of(const json::value& value);

std::unexpected<Error> unknown_type(std::string_view what, std::string_view piece, const std::string& type);

// A file that contradicts itself is corrupt, whoever asked for it.
std::unexpected<Error> damaged(Error error);
std::unexpected<Error> damaged(std::string_view what, std::string sentence);

// A {"String": "..."} or {"Regex": "..."}.
struct PatternText {
    std::string text;
    bool regex = false;
};
Result<PatternText> read_pattern_text(const json::value* value, std::string_view what);
Result<Pattern> read_pattern(const json::value* value, std::string_view what);

// The members of a "Sequence": an array under `key`.
Result<const json::array*> read_sequence(const json::value& value, std::string_view key, std::string_view what,
                                         int depth);

// {"token": id}.
Result<std::vector<VocabularyEntry>> read_vocabulary(const json::value* value, std::string_view what);

Result<std::unique_ptr<Normalizer>> read_normalizer(const json::value* value, std::string_view what, int depth = 0);
Result<void> read_pre_tokenizers(const json::value* value, std::string_view what,
                                 std::vector<std::unique_ptr<PreTokenizer>>& steps, int depth = 0);
Result<std::unique_ptr<TokenModel>> read_model(const json::value* value, std::string_view what);
Result<PostProcessor> read_post_processor(const json::value* value, std::string_view what);
Result<std::unique_ptr<Decoder>> read_decoder(const json::value* value, std::string_view what, int depth = 0);

// "prepend_scheme", or the older "add_prefix_space".
Result<PrependScheme> read_prepend_scheme(const json::value& value, std::string_view what);

}  // namespace rootstock
