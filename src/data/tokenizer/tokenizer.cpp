#include "data/tokenizer/tokenizer.h"

#include <algorithm>

#include "data/reader/reader.h"
#include "data/tokenizer/find_tokens.h"
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

std::size_t count_special(const std::vector<TemplateStep>& steps) {
    std::size_t count = 0;
    for (const auto& step : steps) count += step.ids.size();
    return count;
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

struct BareTokens {
    std::vector<std::int32_t> ids;
    std::vector<CharSpan> offsets;
};

Result<BareTokens> bare_tokens(const TokenizerParts& parts, std::string_view text) {
    ROOTSTOCK_CHECKED(check_text(text));
    BareTokens bare;
    auto origin = identity_origin(text);
    find_tokens(parts, {text, origin}, {&bare.ids, &bare.offsets});
    return bare;
}

void append_special(const TemplateStep& step, Encoding& out) {
    for (std::size_t i = 0; i < step.ids.size(); ++i) {
        out.ids.push_back(step.ids[i]);
        out.type_ids.push_back(step.type_id);
        out.tokens.push_back(step.tokens[i]);
        out.offsets.push_back({0, 0});
        out.special.push_back(1);
    }
}

void append_text(const Tokenizer& tokenizer, const BareTokens& bare, std::size_t length, std::int32_t type_id,
                 Encoding& out) {
    for (std::size_t i = 0; i < length; ++i) {
        out.ids.push_back(bare.ids[i]);
        out.type_ids.push_back(type_id);
        out.tokens.emplace_back(tokenizer.token(bare.ids[i]));
        out.offsets.push_back(bare.offsets[i]);
        out.special.push_back(0);
    }
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const std::filesystem::path& folder) {
    auto path = folder / "tokenizer.json";
    if (std::filesystem::exists(path)) {
        ROOTSTOCK_TRY(text, read_file(path));
        ROOTSTOCK_TRY(parts, read_tokenizer_json(text, path.string()));
        ROOTSTOCK_CHECKED(apply_tokenizer_config(folder, parts));
        return from_parts(std::move(parts));
    }
    if (!std::filesystem::exists(folder / "vocab.txt"))
        return fail(ErrorCode::not_found,
                    folder.string() + " holds neither tokenizer.json nor vocab.txt; is this a model's folder?");
    ROOTSTOCK_TRY(parts, read_vocabulary_folder(folder));
    return from_parts(std::move(parts));
}

Result<Tokenizer> Tokenizer::parse(std::string_view json_text, std::string_view what) {
    ROOTSTOCK_TRY(parts, read_tokenizer_json(json_text, what));
    return from_parts(std::move(parts));
}

Tokenizer Tokenizer::from_parts(TokenizerParts parts) {
    for (const auto& token : parts.added) {
        if (!token.normalized) {
            parts.before_normalizing.add(token.content, token);
            continue;
        }
        TextBuffer normalized{token.content, {}};
        if (parts.normalizer) {
            normalized.clear();
            parts.normalizer->normalize({token.content, {}}, normalized);
        }
        parts.after_normalizing.add(normalized.bytes, token);
    }
    return Tokenizer(std::make_shared<const TokenizerParts>(std::move(parts)));
}

Result<std::size_t> Tokenizer::encode_ids(std::string_view text, const EncodeOptions& options,
                                          std::vector<std::int32_t>& ids) const {
    const auto& steps = parts_->post_processor.single;
    auto special = options.add_special_tokens ? count_special(steps) : 0;
    ROOTSTOCK_TRY(room, room_for_text(options, special));
    ROOTSTOCK_CHECKED(check_text(text));
    std::size_t full = special;
    for (const auto& step : steps) {
        if (step.kind == Kind::special) {
            if (options.add_special_tokens) ids.insert(ids.end(), step.ids.begin(), step.ids.end());
            continue;
        }
        auto begin = ids.size();
        find_tokens(*parts_, {text, {}}, {&ids, nullptr});
        full += ids.size() - begin;
        ids.resize(begin + std::min(ids.size() - begin, room));
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
    Encoding encoding;
    encoding.full_tokens = full.first + full.second + special;
    for (const auto& step : steps) {
        if (step.kind == Kind::first_text) append_text(*this, one, kept.first, step.type_id, encoding);
        if (step.kind == Kind::second_text) append_text(*this, two, kept.second, step.type_id, encoding);
        if (step.kind == Kind::special && options.add_special_tokens) append_special(step, encoding);
    }
    return encoding;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
    std::vector<std::string_view> tokens;
    for (auto id : ids) {
        auto added = std::ranges::find(parts_->added, id, &AddedToken::id);
        bool special = added != parts_->added.end() && added->special;
        auto text = token(id);
        if (!text.empty() && !(skip_special && special)) tokens.push_back(text);
    }
    if (parts_->decoder) return parts_->decoder->decode(tokens);
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) (text += i > 0 ? " " : "") += tokens[i];
    return text;
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view token) const {
    auto added = std::ranges::find(parts_->added, token, &AddedToken::content);
    if (added != parts_->added.end()) return added->id;
    return parts_->model->id(token);
}

std::string_view Tokenizer::token(std::int32_t id) const {
    auto added = std::ranges::find(parts_->added, id, &AddedToken::id);
    return added != parts_->added.end() ? added->content : parts_->model->token(id);
}

std::size_t Tokenizer::vocabulary_size() const {
    auto beyond_model = [&](const AddedToken& token) { return !parts_->model->id(token.content); };
    return parts_->model->size() + static_cast<std::size_t>(std::ranges::count_if(parts_->added, beyond_model));
}

std::optional<std::int32_t> Tokenizer::pad_id() const { return token_id(parts_->pad_token); }
std::optional<std::int32_t> Tokenizer::cls_id() const { return token_id(parts_->cls_token); }
std::optional<std::int32_t> Tokenizer::sep_id() const { return token_id(parts_->sep_token); }
std::optional<std::int32_t> Tokenizer::unknown_id() const { return parts_->model->unknown_id(); }
std::int32_t Tokenizer::file_max_tokens() const { return parts_->file_max_tokens; }
std::size_t Tokenizer::special_tokens_added() const { return count_special(parts_->post_processor.single); }

}  // namespace rootstock
