#include "data/tokenizer/sentencepiece.h"

#include <algorithm>
#include <cstring>

#include "data/reader/reader.h"
#include "data/text/utf8.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/decoders.h"
#include "data/tokenizer/rewriting.h"
#include "data/tokenizer/unigram.h"

namespace rootstock {
namespace {

constexpr std::string_view space_symbol = "\u2581";
constexpr std::size_t pieces_max = 1 << 24;

// Protocol buffers' wire format: tag = field << 3 | type; type 0 varint, 1 eight bytes, 2 length and bytes, 5 four.
class Wire {
public:
    explicit Wire(std::string_view bytes) : rest_(bytes) {}

    std::uint64_t field = 0;
    std::uint64_t number = 0;  // of types 0, 1 and 5
    std::string_view bytes;    // of type 2
    bool broken = false;

    // Moves to the next field; false at the end or when the bytes are damaged.
    bool next() {
        if (rest_.empty()) return false;
        auto tag = varint();
        field = tag >> 3;
        bytes = {};
        switch (tag & 7) {
            case 0:
                number = varint();
                break;
            case 1:
                number = fixed(8);
                break;
            case 2:
                bytes = take(varint());
                break;
            case 5:
                number = fixed(4);
                break;
            default:
                broken = true;
        }
        return !broken;
    }

private:
    std::string_view take(std::uint64_t length) {
        if (length > rest_.size()) {
            broken = true;
            return {};
        }
        auto part = rest_.substr(0, static_cast<std::size_t>(length));
        rest_.remove_prefix(part.size());
        return part;
    }
    std::uint64_t fixed(std::size_t length) {
        std::uint64_t value = 0;
        auto part = take(length);
        std::memcpy(&value, part.data() ? part.data() : "", part.size());
        return value;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            auto byte = take(1);
            if (broken) return 0;
            value |= std::uint64_t{static_cast<unsigned char>(byte[0]) & 0x7Fu} << shift;
            if (!(byte[0] & 0x80)) return value;
        }
        broken = true;
        return 0;
    }
    std::string_view rest_;
};

bool read_piece(std::string_view bytes, SentencePieceModel::Piece& piece) {
    Wire wire(bytes);
    while (wire.next()) {
        if (wire.field == 1) piece.token = wire.bytes;
        if (wire.field == 2) {
            auto bits = static_cast<std::uint32_t>(wire.number);
            std::memcpy(&piece.score, &bits, sizeof bits);
        }
        if (wire.field == 3 && wire.number >= 1 && wire.number <= 6)
            piece.type = static_cast<SentencePieceModel::Type>(wire.number);
    }
    return !wire.broken && find_invalid_utf8(piece.token) == std::string_view::npos;
}

bool read_trainer(std::string_view bytes, SentencePieceModel& model) {
    Wire wire(bytes);
    while (wire.next()) {
        if (wire.field == 3) model.algorithm = static_cast<std::int64_t>(wire.number);
        if (wire.field == 24) model.whitespace_as_suffix = wire.number != 0;
        if (wire.field == 35) model.byte_fallback = wire.number != 0;
        if (wire.field == 44) model.unknown_surface = wire.bytes;
    }
    return !wire.broken && find_invalid_utf8(model.unknown_surface) == std::string_view::npos;
}

bool read_normalizer_rules(std::string_view bytes, SentencePieceModel& model) {
    Wire wire(bytes);
    while (wire.next()) {
        if (wire.field == 2) model.charsmap = wire.bytes;
        if (wire.field == 3) model.add_dummy_prefix = wire.number != 0;
        if (wire.field == 4) model.remove_extra_whitespaces = wire.number != 0;
        if (wire.field == 5) model.escape_whitespaces = wire.number != 0;
    }
    return !wire.broken;
}

// SentencePiece's way back: the spaces at the very beginning go, unknown pieces show a sign of their own.
class SentencePieceStage final : public DecodeStage {
public:
    SentencePieceStage(std::string_view unknown, std::string_view surface, bool drops_first, bool drops_all)
        : unknown_(unknown), surface_(surface), drops_first_(drops_first), drops_all_(drops_all) {}
    void push(std::string_view piece, std::vector<std::string>& out) override {
        if (piece == unknown_) {
            begun_ = true;
            out.emplace_back(surface_);
            return;
        }
        if (!begun_ && drops_first_ && piece.starts_with(space_symbol)) {
            piece.remove_prefix(space_symbol.size());
            begun_ = !drops_all_;
        }
        begun_ = begun_ || !piece.empty();
        out.push_back(replace_all(piece, space_symbol, " "));
    }
    void finish(std::vector<std::string>&) override {}

private:
    std::string_view unknown_, surface_;
    bool drops_first_, drops_all_, begun_ = false;
};

class SentencePieceDecoder final : public Decoder {
public:
    SentencePieceDecoder(std::string unknown, const SentencePieceModel& model)
        : unknown_(std::move(unknown)),
          surface_(model.unknown_surface),
          drops_first_(model.add_dummy_prefix || model.remove_extra_whitespaces),
          drops_all_(model.remove_extra_whitespaces) {}
    std::unique_ptr<DecodeStage> stage(bool fused) const override {
        return gathered(fused, std::make_unique<SentencePieceStage>(unknown_, surface_, drops_first_, drops_all_));
    }

private:
    std::string unknown_, surface_;
    bool drops_first_, drops_all_;
};

bool usable(SentencePieceModel::Type type) {
    return type == SentencePieceModel::Type::normal || type == SentencePieceModel::Type::user_defined;
}

Result<std::unique_ptr<TokenModel>> unigram_of(const SentencePieceModel& model, std::optional<std::int32_t> unknown) {
    std::vector<UnigramPiece> pieces;
    for (const auto& piece : model.pieces) pieces.push_back({piece.token, piece.score});
    std::vector<bool> searched;
    for (const auto& piece : model.pieces) searched.push_back(usable(piece.type));
    return Unigram::make(std::move(pieces), unknown, model.byte_fallback, searched, ScoreSums::in_single);
}

// SentencePiece merges the neighbours whose whole has the highest score; so the rank of a merge is the place of the
// whole in that order, and every way to cut a piece in two is a merge.
Result<std::unique_ptr<TokenModel>> bpe_of(const SentencePieceModel& model, std::optional<std::int32_t> unknown) {
    std::vector<VocabularyEntry> vocabulary;
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        vocabulary.push_back({model.pieces[i].token, static_cast<std::int32_t>(i)});
        if (usable(model.pieces[i].type)) order.push_back(i);
    }
    ROOTSTOCK_TRY(known, Vocabulary::make(vocabulary));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return model.pieces[a].score > model.pieces[b].score; });
    std::vector<RankedMerge> merges;
    std::uint32_t rank = 0;
    for (std::size_t n = 0; n < order.size(); ++n) {
        std::string_view whole = model.pieces[order[n]].token;
        if (n > 0 && model.pieces[order[n]].score != model.pieces[order[n - 1]].score) ++rank;
        for (std::size_t cut = 1; cut < whole.size(); ++cut) {
            if (is_continuation_byte(whole[cut])) continue;
            auto left = known.id(whole.substr(0, cut)), right = known.id(whole.substr(cut));
            if (left && right) merges.push_back({*left, *right, rank, static_cast<std::int32_t>(order[n])});
        }
    }
    BpeOptions options;
    if (unknown) options.unknown_token = model.pieces[static_cast<std::size_t>(*unknown)].token;
    options.fuse_unknown = true;
    options.byte_fallback = model.byte_fallback;
    return Bpe::make_ranked(std::move(vocabulary), merges, std::move(options));
}

}  // namespace

Result<SentencePieceModel> read_sentencepiece_model(std::string_view bytes, std::string_view what) {
    SentencePieceModel model;
    Wire wire(bytes);
    bool good = true;
    while (good && wire.next()) {
        if (wire.field == 1)
            good = model.pieces.size() < pieces_max && read_piece(wire.bytes, model.pieces.emplace_back());
        if (wire.field == 2) good = read_trainer(wire.bytes, model);
        if (wire.field == 3) good = read_normalizer_rules(wire.bytes, model);
    }
    if (!good || wire.broken || model.pieces.empty())
        return fail(ErrorCode::corrupt, std::string(what) + " is no SentencePiece model, or is damaged");
    return model;
}

Result<TokenizerParts> parts_of(const SentencePieceModel& model, std::string_view what) {
    using Type = SentencePieceModel::Type;
    if (model.algorithm != 1 && model.algorithm != 2)
        return fail(
            ErrorCode::unsupported,
            std::string(what) + ": only Unigram and BPE models of SentencePiece are read, not word or character");
    std::optional<std::int32_t> unknown;
    for (std::size_t i = 0; i < model.pieces.size(); ++i)
        if (model.pieces[i].type == Type::unknown) unknown = static_cast<std::int32_t>(i);
    auto named = [&](Error error) {
        error.message = std::string(what) + ": " + error.message;
        return fail(std::move(error));
    };
    TokenizerParts parts;
    auto rules = PrecompiledNormalizer::make(model.charsmap);
    if (!rules) return named(rules.error());
    parts.normalizer = std::make_unique<SentencePieceNormalizer>(std::move(*rules), model);
    auto made = model.algorithm == 1 ? unigram_of(model, unknown) : bpe_of(model, unknown);
    if (!made) return named(made.error());
    parts.model = std::move(*made);
    std::vector<std::unique_ptr<Decoder>> decoders;
    if (model.byte_fallback) decoders.push_back(std::make_unique<ByteFallbackDecoder>());
    auto unknown_token = unknown ? model.pieces[static_cast<std::size_t>(*unknown)].token : std::string();
    decoders.push_back(std::make_unique<SentencePieceDecoder>(std::move(unknown_token), model));
    parts.decoder = std::make_unique<DecoderChain>(std::move(decoders));
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        const auto& piece = model.pieces[i];
        auto id = static_cast<std::int32_t>(i);
        if (piece.type == Type::control) parts.added.add({.content = piece.token, .id = id, .special = true});
        if (piece.type == Type::user_defined) parts.added.add({.content = piece.token, .id = id});
    }
    return parts;
}

void SentencePieceNormalizer::normalize(TextView in, TextBuffer& out) const {
    bool tracked = !in.origin.empty();
    auto blank = escape_ ? space_symbol : std::string_view(" ");
    auto first = out.bytes.size();
    auto at_blank = [&] {
        return out.bytes.size() == first || std::string_view(out.bytes).substr(first).ends_with(blank);
    };
    bool prefix_due = dummy_prefix_ && !suffix_;
    bool after_space = single_spaces_;  // a space of the text, not a symbol that looks like what spaces become
    for (std::size_t at = 0; at < in.bytes.size();) {
        auto rule = rules_->longest_rule(in.bytes.substr(at));
        auto length = rule ? rule->length : decode_utf8(in.bytes.substr(at)).length;
        auto text = rule ? rule->replacement : in.bytes.substr(at, length);
        while (after_space && text.starts_with(' ')) text.remove_prefix(1);
        auto whole = tracked ? CharSpan{in.origin[at].begin, in.origin[at + length - 1].end} : CharSpan{};
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (prefix_due) append_from(blank, tracked ? in.origin[at] : CharSpan{}, tracked, out);
            prefix_due = false;
            append_from(text[i] == ' ' ? blank : text.substr(i, 1), whole, tracked, out);
        }
        if (!text.empty()) after_space = single_spaces_ && text.ends_with(' ');
        if (text.empty() && tracked && after_space && out.bytes.size() > first)  // one blank stands for all of them
            for (std::size_t i = 1; i <= blank.size(); ++i) out.origin[out.bytes.size() - i].end = whole.end;
        at += length;
    }
    if (single_spaces_)
        while (out.bytes.size() > first && at_blank()) out.bytes.resize(out.bytes.size() - blank.size());
    if (tracked) out.origin.resize(out.bytes.size());
    if (suffix_ && dummy_prefix_ && out.bytes.size() > first)
        append_from(blank, tracked ? out.origin.back() : CharSpan{}, tracked, out);
}

}  // namespace rootstock
