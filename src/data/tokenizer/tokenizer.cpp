#include "data/tokenizer/tokenizer.h"

#include <algorithm>

#include "data/reader/reader.h"
#include "data/tokenizer/assembling.h"
#include "data/tokenizer/find_tokens.h"
#include "data/tokenizer/text_stream.h"
#include "data/tokenizer/truncation.h"

namespace rootstock {
namespace {

using Kind = TemplateStep::Kind;

constexpr std::size_t text_bytes_max = std::size_t{1} << 30;  // spans count in 32 bits

Result<void> check_text(std::string_view text) {
    if (text.size() > text_bytes_max) return fail(ErrorCode::too_large, "the text is larger than 1 GiB; split it");
    auto at = find_invalid_utf8(text);
    if (at == std::string_view::npos) return {};
    return fail(ErrorCode::invalid_argument,
                "the text is not valid UTF-8 at byte " + std::to_string(at) + "; convert it to UTF-8");
}

// How many tokens of the texts themselves may stay; SIZE_MAX without a limit.
Result<std::size_t> room_for_text(const EncodeOptions& options, std::size_t special) {
    if (options.max_tokens < 0)
        return fail(ErrorCode::invalid_argument, "max_tokens must not be negative", "max_tokens");
    if (options.max_tokens == 0) return SIZE_MAX;
    auto limit = static_cast<std::size_t>(options.max_tokens);
    if (limit < special)
        return fail(ErrorCode::invalid_argument,
                    "max_tokens " + std::to_string(limit) + " leaves no room for the " + std::to_string(special) +
                        " special tokens",
                    "max_tokens");
    return limit - special;
}

// The door where faults of the hot path become results.
Result<void> find_or_fail(const TokenizerParts& parts, TextView text, FoundTokens found) {
    try {
        find_tokens(parts, text, found);
    } catch (const TokenizingFault& fault) {
        return fail(fault.error);
    }
    return {};
}

Result<BareTokens> bare_tokens(const TokenizerParts& parts, std::string_view text) {
    ROOTSTOCK_CHECKED(check_text(text));
    BareTokens bare;
    auto origin = identity_origin(text);
    ROOTSTOCK_CHECKED(find_or_fail(parts, {text, origin, 0}, {&bare.ids, &bare.offsets, &bare.spelled}));
    return bare;
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const std::filesystem::path& folder) {
    auto has = [&](const char* name) { return std::filesystem::exists(folder / name); };
    auto read = [&]() -> Result<TokenizerParts> {
        auto path = folder / "tokenizer.json";
        if (has("tokenizer.json")) {
            ROOTSTOCK_TRY(text, read_file(path));
            ROOTSTOCK_TRY(parts, read_tokenizer_json(text, path.string()));
            ROOTSTOCK_CHECKED(apply_tokenizer_config(folder, parts));
            return std::move(parts);
        }
        if (has("vocab.txt")) return read_vocabulary_folder(folder);
        if (has("vocab.json") && has("merges.txt")) return read_byte_level_folder(folder);
        for (const auto* name : {"spiece.model", "tokenizer.model"})
            if (has(name)) return read_sentencepiece_folder(folder, folder / name);
        return fail(ErrorCode::not_found,
                    folder.string() +
                        " holds no tokenizer (tokenizer.json, vocab.txt, vocab.json with merges.txt, or "
                        "a SentencePiece model); is this a model's folder?");
    };
    ROOTSTOCK_TRY(parts, read());
    return from_parts(std::move(parts));
}

Result<Tokenizer> Tokenizer::load_file(const std::filesystem::path& path) {
    if (std::filesystem::is_directory(path)) return load(path);
    auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (path.extension() == ".model") {
        ROOTSTOCK_TRY(parts, read_sentencepiece_folder(folder, path));
        return from_parts(std::move(parts));
    }
    if (path.filename() == "vocab.txt") {
        ROOTSTOCK_TRY(parts, read_vocabulary_folder(folder));
        return from_parts(std::move(parts));
    }
    ROOTSTOCK_TRY(text, read_file(path));
    return parse(text, path.string());
}

Result<Tokenizer> Tokenizer::parse(std::string_view json_text, std::string_view what) {
    ROOTSTOCK_TRY(parts, read_tokenizer_json(json_text, what));
    return from_parts(std::move(parts));
}

Result<Tokenizer> Tokenizer::from_parts(TokenizerParts parts) {
    for (const auto& token : parts.added.all()) {
        if (!token.normalized) {
            parts.before_normalizing.add(token.content, token);
            continue;
        }
        TextBuffer normalized{token.content, {}, 0};
        if (parts.normalizer) {
            normalized.clear();
            try {
                parts.normalizer->normalize({token.content, {}, 0}, normalized);
            } catch (const TokenizingFault& fault) {
                return fail(fault.error);
            }
        }
        parts.after_normalizing.add(normalized.bytes, token);
    }
    for (const auto& step : parts.pre_tokenizers) parts.needs_origin |= step->needs_origin();
    return Tokenizer(std::make_shared<const TokenizerParts>(std::move(parts)));
}

Result<std::size_t> Tokenizer::encode_ids(std::string_view text, const EncodeOptions& options,
                                          std::vector<std::int32_t>& ids) const {
    const auto& steps = parts_->post_processor.single;
    auto special = options.add_special_tokens ? count_special(steps) : 0;
    ROOTSTOCK_TRY(room, room_for_text(options, special));
    ROOTSTOCK_CHECKED(check_text(text));
    auto start = ids.size();
    std::size_t full = special;
    std::vector<CharSpan> origin;
    if (parts_->needs_origin) origin = identity_origin(text);
    for (const auto& step : steps) {
        if (step.kind == Kind::special) {
            if (options.add_special_tokens) ids.insert(ids.end(), step.ids.begin(), step.ids.end());
            continue;
        }
        auto begin = ids.size();
        if (auto found = find_or_fail(*parts_, {text, origin, 0}, {&ids, nullptr}); !found) {
            ids.resize(start);
            return fail(std::move(found.error()));
        }
        auto count = ids.size() - begin;
        full += count;
        if (count <= room) continue;
        auto surplus = static_cast<std::ptrdiff_t>(count - room);
        if (options.keep_end)
            ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                      ids.begin() + static_cast<std::ptrdiff_t>(begin) + surplus);
        else
            ids.resize(begin + room);
    }
    return full;
}

Result<Encoding> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
    return encode_texts(text, std::nullopt, options);
}

Result<Encoding> Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                        const EncodeOptions& options) const {
    return encode_texts(first, second, options);
}

Result<Encoding> Tokenizer::encode_texts(std::string_view first, std::optional<std::string_view> second,
                                         const EncodeOptions& options) const {
    const auto& steps = second ? parts_->post_processor.pair : parts_->post_processor.single;
    auto special = options.add_special_tokens ? count_special(steps) : 0;
    ROOTSTOCK_TRY(room, room_for_text(options, special));
    ROOTSTOCK_TRY(one, bare_tokens(*parts_, first));
    ROOTSTOCK_TRY(two, bare_tokens(*parts_, second.value_or("")));
    Lengths full{one.ids.size(), two.ids.size()};
    ROOTSTOCK_TRY(kept, truncated(full, second.has_value(), room, options.truncation));
    ROOTSTOCK_TRY(first_parts, token_parts(full.first, kept.first, options));
    ROOTSTOCK_TRY(second_parts, token_parts(full.second, kept.second, options));
    auto assemble = [&](TokenRange a, TokenRange b) {
        return assembled(*this, *parts_, steps, options.add_special_tokens, cut(one, a), cut(two, b));
    };
    auto encoding = assemble(first_parts[0], second_parts[0]);
    encoding.full_tokens = full.first + full.second + special;
    // In the reference's order: every other part of the first text with all of the second, then the first part with
    // the other parts of the second.
    for (std::size_t a = 0; a < first_parts.size(); ++a)
        for (std::size_t b = 0; b < second_parts.size() && options.overflow; ++b)
            if (a > 0) encoding.overflowing.push_back(assemble(first_parts[a], second_parts[b]));
    for (std::size_t b = 1; b < second_parts.size() && options.overflow; ++b)
        encoding.overflowing.push_back(assemble(first_parts[0], second_parts[b]));
    return encoding;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
    TextStream stream(*this, skip_special);
    std::string text;
    for (auto id : ids) text += stream.push(id);
    return text += stream.finish();
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view token) const {
    if (const auto* added = parts_->added.by_content(token)) return added->id;
    return parts_->model->id(token);
}

std::string_view Tokenizer::token(std::int32_t id) const {
    const auto* added = parts_->added.by_id(id);
    return added ? std::string_view(added->content) : parts_->model->token(id);
}

std::size_t Tokenizer::vocabulary_size() const {
    auto beyond_model = [&](const AddedToken& token) { return !parts_->model->id(token.content); };
    auto added = std::ranges::count_if(parts_->added.all(), beyond_model);
    return parts_->model->vocabulary().size() + static_cast<std::size_t>(added);
}

std::optional<std::string> Tokenizer::bytes_in_text(std::int32_t id, bool first) const {
    const auto text = token(id);
    const auto* added = parts_->added.by_id(id);
    if (!added) added = parts_->added.by_content(text);
    if (text.empty() || (added && added->special)) return std::string();
    return parts_->decoder->bytes_of(text, first, false);
}

std::size_t Tokenizer::id_end() const {
    auto end = parts_->model->vocabulary().id_end();
    for (const auto& added : parts_->added.all()) end = std::max(end, static_cast<std::size_t>(added.id) + 1);
    return end;
}

std::optional<std::int32_t> Tokenizer::pad_id() const { return token_id(parts_->pad_token); }
std::optional<std::int32_t> Tokenizer::cls_id() const { return token_id(parts_->cls_token); }
std::optional<std::int32_t> Tokenizer::sep_id() const { return token_id(parts_->sep_token); }
std::optional<std::int32_t> Tokenizer::unknown_id() const { return parts_->model->unknown_id(); }
std::int32_t Tokenizer::file_max_tokens() const { return parts_->file_max_tokens; }
const std::optional<FilePadding>& Tokenizer::file_padding() const { return parts_->padding; }
const std::optional<FileTruncation>& Tokenizer::file_truncation() const { return parts_->truncation; }
std::size_t Tokenizer::special_tokens_added() const { return count_special(parts_->post_processor.single); }

}  // namespace rootstock
