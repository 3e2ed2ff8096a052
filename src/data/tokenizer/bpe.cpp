#include "data/tokenizer/bpe.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <queue>

#include "data/text/utf8.h"
#include "data/tokenizer/word_cache.h"

namespace rootstock {
namespace {

constexpr std::size_t short_word = 40;  // symbols; below, scanning beats a heap

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

std::string byte_token(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

Result<std::vector<RankedMerge>> ranked(const Vocabulary& vocabulary, const std::vector<Merge>& merges,
                                        std::size_t prefix) {
    std::vector<RankedMerge> out;
    out.reserve(merges.size());
    std::string whole;
    for (const auto& [left, right] : merges) {
        (whole = left) += right.size() >= prefix ? std::string_view(right).substr(prefix) : std::string_view();
        auto left_id = vocabulary.id(left), right_id = vocabulary.id(right), whole_id = vocabulary.id(whole);
        auto rank = static_cast<std::uint32_t>(out.size());
        if (!left_id || !right_id || !whole_id)
            return fail(ErrorCode::corrupt, "merge " + std::to_string(rank + 1) + " ('" + left + "' '" + right +
                                                "') names a token that the vocabulary lacks");
        out.push_back({*left_id, *right_id, rank, *whole_id});
    }
    return out;
}

}  // namespace

Result<std::unique_ptr<Bpe>> Bpe::make(std::vector<VocabularyEntry> entries, const std::vector<Merge>& merges,
                                       BpeOptions options) {
    ROOTSTOCK_TRY(vocabulary, Vocabulary::make(entries));
    ROOTSTOCK_TRY(named, ranked(vocabulary, merges, options.continuing_prefix.size()));
    return make_ranked(std::move(entries), named, std::move(options));
}

Result<std::unique_ptr<Bpe>> Bpe::make_ranked(std::vector<VocabularyEntry> entries,
                                              const std::vector<RankedMerge>& merges, BpeOptions options) {
    std::unique_ptr<Bpe> model(new Bpe);
    ROOTSTOCK_TRY(vocabulary, Vocabulary::make(std::move(entries)));
    model->vocabulary_ = std::move(vocabulary);
    model->options_ = std::move(options);
    model->serial_ = next_serial();
    if (!model->options_.unknown_token.empty()) model->unknown_ = model->id(model->options_.unknown_token);
    for (std::int32_t c = 0; c < 0x800; ++c) {
        std::string character;
        append_utf8(character, c);
        model->small_characters_[static_cast<std::size_t>(c)] = model->vocabulary_.table().find(character);
    }
    for (std::size_t byte = 0; byte < 256; ++byte)
        model->byte_ids_[byte] = model->vocabulary_.table().find(byte_token(static_cast<unsigned char>(byte)));
    model->slots_.assign(std::bit_ceil(std::max<std::size_t>(merges.size() * 2, 16)), {});
    for (const auto& merge : merges)
        model->slots_[model->slot_at(merge.left, merge.right)] = {merge.left, merge.right, merge.rank, merge.whole};
    return model;
}

std::size_t Bpe::slot_at(std::int32_t left, std::int32_t right) const {
    auto mask = slots_.size() - 1;
    auto key = std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    for (auto at = static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ULL) >> 32) & mask;; at = (at + 1) & mask)
        if (slots_[at].left < 0 || (slots_[at].left == left && slots_[at].right == right)) return at;
}

const Bpe::Slot* Bpe::merge_of(std::int32_t left, std::int32_t right) const {
    const auto& slot = slots_[slot_at(left, right)];
    return slot.left < 0 ? nullptr : &slot;
}

std::optional<std::int32_t> Bpe::unknown_id() const { return unknown_; }

std::int32_t Bpe::required_unknown() const {
    if (unknown_) return *unknown_;
    throw TokenizingFault{{ErrorCode::corrupt,
                           "the vocabulary lacks the tokenizer's own unknown token '" + options_.unknown_token + "'",
                           "", ""}};
}

std::int32_t Bpe::character_id(std::string_view character, bool first, bool last) const {
    bool prefixed = !first && !options_.continuing_prefix.empty(), suffixed = last && !options_.end_suffix.empty();
    if (!prefixed && !suffixed) {
        if (character.size() <= 2)
            return small_characters_[static_cast<std::size_t>(decode_utf8(character).code_point)];
        return vocabulary_.table().find(character);
    }
    std::string spelled = prefixed ? options_.continuing_prefix : "";
    spelled += character;
    if (suffixed) spelled += options_.end_suffix;
    return vocabulary_.table().find(spelled);
}

bool Bpe::add_bytes(std::string_view text, std::vector<Symbol>& symbols) const {
    for (char c : text)
        if (byte_ids_[static_cast<unsigned char>(c)] < 0) return false;
    for (char c : text) symbols.push_back({byte_ids_[static_cast<unsigned char>(c)], 1});
    return true;
}

void Bpe::start_symbols(std::string_view word, std::vector<Symbol>& symbols) const {
    Symbol unknown{-1, 0};  // waits for the next known character
    auto flush = [&] {
        if (unknown.id >= 0) symbols.push_back(unknown);
        unknown = {-1, 0};
    };
    for (std::size_t at = 0; at < word.size();) {
        auto length = decode_utf8(word.substr(at)).length;
        auto character = word.substr(at, length);
        bool first = at == 0, last = at + length == word.size();
        at += length;
        auto bytes = static_cast<std::uint32_t>(length);
        if (auto known = character_id(character, first, last); known >= 0) {
            flush();
            symbols.push_back({known, bytes});
            continue;
        }
        if (options_.byte_fallback) {
            auto spelled = (first ? "" : options_.continuing_prefix) + std::string(character);
            if (last) spelled += options_.end_suffix;
            if (add_bytes(spelled, symbols)) continue;
        }
        if (options_.unknown_token.empty()) continue;
        if (unknown.id >= 0 && !options_.fuse_unknown) flush();
        unknown = {required_unknown(), unknown.length + bytes};
    }
    flush();
}

void Bpe::merge_short(std::vector<Symbol>& symbols) const {
    std::uint32_t ranks[short_word];
    std::int32_t ids[short_word];
    auto count = symbols.size();
    auto look = [&](std::size_t i) {
        const auto* merge = i + 1 < count ? merge_of(symbols[i].id, symbols[i + 1].id) : nullptr;
        ranks[i] = merge ? merge->rank : no_rank;
        ids[i] = merge ? merge->id : -1;
    };
    for (std::size_t i = 0; i < count; ++i) look(i);
    while (count > 1) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < count; ++i)
            if (ranks[i] < ranks[best]) best = i;
        if (ranks[best] == no_rank) break;
        symbols[best] = {ids[best], symbols[best].length + symbols[best + 1].length};
        --count;
        for (std::size_t i = best + 1; i < count; ++i) {
            symbols[i] = symbols[i + 1];
            ranks[i] = ranks[i + 1];
            ids[i] = ids[i + 1];
        }
        look(best);
        if (best > 0) look(best - 1);
    }
    symbols.resize(count);
}

void Bpe::merge_long(std::vector<Symbol>& symbols) const {
    struct Waiting {
        std::uint32_t rank, at;
        std::int32_t id;
        bool operator<(const Waiting& other) const {
            return rank != other.rank ? rank > other.rank : at > other.at;  // the queue gives the largest first
        }
    };
    constexpr auto none = UINT32_MAX;
    auto count = static_cast<std::uint32_t>(symbols.size());
    std::vector<std::uint32_t> next(count), before(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        next[i] = i + 1 < count ? i + 1 : none;
        before[i] = i > 0 ? i - 1 : none;
    }
    std::priority_queue<Waiting> queue;
    auto look = [&](std::uint32_t left) {
        if (left == none || next[left] == none) return;
        if (const auto* merge = merge_of(symbols[left].id, symbols[next[left]].id))
            queue.push({merge->rank, left, merge->id});
    };
    for (std::uint32_t i = 0; i < count; ++i) look(i);
    while (!queue.empty()) {
        auto top = queue.top();
        queue.pop();
        auto left = top.at;
        if (symbols[left].length == 0 || next[left] == none) continue;
        auto right = next[left];
        const auto* merge = merge_of(symbols[left].id, symbols[right].id);
        if (!merge || merge->id != top.id) continue;  // the pair has changed since
        symbols[left] = {top.id, symbols[left].length + symbols[right].length};
        symbols[right].length = 0;
        next[left] = next[right];
        if (next[left] != none) before[next[left]] = left;
        look(left);
        look(before[left]);
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

void Bpe::merge_all(std::string_view word, std::vector<Symbol>& symbols) const {
    symbols.clear();
    if (options_.ignore_merges)
        if (auto whole = vocabulary_.table().find(word); whole >= 0) {
            symbols.push_back({whole, static_cast<std::uint32_t>(word.size())});
            return;
        }
    start_symbols(word, symbols);
    if (symbols.size() <= short_word)
        merge_short(symbols);
    else
        merge_long(symbols);
}

void Bpe::tokenize(std::string_view text, ByteSpan word, std::vector<Piece>& pieces) const {
    thread_local std::vector<Symbol> symbols;
    auto bytes = word.of(text);
    auto& cache = word_cache(serial_);
    auto at = word.begin;
    auto add = [&](std::int32_t id, std::uint32_t length) {
        pieces.push_back({id, {at, at + length}});
        at += length;
    };
    if (bytes.size() > WordCache::word_bytes_max) {
        merge_all(bytes, symbols);
        for (auto symbol : symbols) add(symbol.id, symbol.length);
        if (symbols.capacity() > (std::size_t{1} << 16)) symbols = {};
        return;
    }
    auto& entry = cache.entry(bytes);
    if (!entry.holds(bytes)) {
        merge_all(bytes, symbols);
        if (symbols.size() > WordCache::pieces_max) {
            for (auto symbol : symbols) add(symbol.id, symbol.length);
            return;
        }
        entry.start(bytes);
        for (auto symbol : symbols) entry.add(symbol.id, static_cast<std::uint8_t>(symbol.length));
    }
    for (std::size_t i = 0; i < entry.pieces; ++i) add(entry.ids[i], entry.lengths[i]);
}

}  // namespace rootstock
