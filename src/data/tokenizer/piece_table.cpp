#include "data/tokenizer/piece_table.h"

#include <algorithm>
#include <bit>

#include "data/text/utf8.h"

namespace rootstock {
namespace {

constexpr std::int32_t id_max = 1 << 24;  // no vocabulary comes near; guards memory against a damaged file

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

void PieceTable::reserve(std::size_t pieces, std::size_t bytes) {
    slots_.assign(std::bit_ceil(std::max<std::size_t>(pieces * 2, 16)), {});  // at most half full
    bytes_.reserve(bytes);
}

// Where the piece is, or the free slot where it would go.
std::size_t PieceTable::slot_of(std::string_view piece, std::uint64_t hash) const {
    auto mask = slots_.size() - 1;
    for (auto at = static_cast<std::size_t>(hash ^ (hash >> 29)) & mask;; at = (at + 1) & mask) {
        const auto& slot = slots_[at];
        if (slot.id == none) return at;
        if (slot.tag == tag_of(hash) && std::string_view(bytes_).substr(slot.offset, slot.length) == piece) return at;
    }
}

void PieceTable::add(std::string_view piece, std::int32_t id) {
    auto hash = hash_start;
    for (char byte : piece) hash = hash_step(hash, byte);
    auto& slot = slots_[slot_of(piece, hash)];
    if (slot.id == none) {
        slot = {static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(piece.size()), id, tag_of(hash)};
        bytes_ += piece;
        longest_ = std::max(longest_, piece.size());
        ++count_;
    }
    slot.id = id;
}

std::int32_t PieceTable::find(std::string_view piece, std::uint64_t hash) const {
    return slots_[slot_of(piece, hash)].id;
}

std::int32_t PieceTable::find(std::string_view piece) const {
    auto hash = hash_start;
    for (char byte : piece) hash = hash_step(hash, byte);
    return find(piece, hash);
}

PieceTable::Match PieceTable::longest_prefix(std::string_view text) const {
    Match match;
    auto hash = hash_start;
    auto limit = std::min(text.size(), longest_);
    for (std::size_t length = 1; length <= limit; ++length) {
        hash = hash_step(hash, text[length - 1]);
        if (length < text.size() && is_continuation_byte(text[length])) continue;  // inside a character
        if (auto id = find(text.substr(0, length), hash); id != none) match = {id, length};
    }
    return match;
}

Result<Vocabulary> Vocabulary::make(std::vector<VocabularyEntry> entries) {
    std::size_t bytes = 0;
    std::int32_t largest = -1;
    for (const auto& entry : entries) {
        if (entry.id < 0 || entry.id > id_max)
            return fail(ErrorCode::corrupt, "the vocabulary gives token '" + entry.token + "' the impossible id " +
                                                std::to_string(entry.id));
        bytes += entry.token.size();
        largest = std::max(largest, entry.id);
    }
    Vocabulary vocabulary;
    vocabulary.table_.reserve(entries.size(), bytes);
    vocabulary.tokens_.resize(static_cast<std::size_t>(largest + 1));
    for (auto& entry : entries) {
        vocabulary.table_.add(entry.token, entry.id);
        vocabulary.tokens_[static_cast<std::size_t>(entry.id)] = std::move(entry.token);
    }
    vocabulary.size_ = vocabulary.table_.size();
    return vocabulary;
}

std::optional<std::int32_t> Vocabulary::id(std::string_view token) const {
    if (auto found = table_.find(token); found != PieceTable::none) return found;
    return std::nullopt;
}

std::string_view Vocabulary::token(std::int32_t id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= tokens_.size()) return {};
    return tokens_[static_cast<std::size_t>(id)];
}

}  // namespace rootstock
