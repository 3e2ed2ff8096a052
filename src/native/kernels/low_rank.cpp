#include "native/kernels/low_rank.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "native/kernels/arithmetic.h"

namespace rootstock {

namespace {

// Every part begins on a whole word of the inner products.
int stacked_ranks(const std::vector<LowRankSlice>& slices, int word) {
    int ranks = 0;
    for (const auto& slice : slices) ranks += round_up(slice.rank, word);
    return ranks;
}

int word_of(Element element) { return element == Element::bf16 ? Bf16Ops::kRowsPerWord : Fp32Ops::kRowsPerWord; }

// The numbers of a matrix [rows, columns] times `factor`, each row filled with zeros up to whole words. Rows that fill
// their words are converted as one: an adapter is packed while its first customer waits.
template <typename Ops>
std::unique_ptr<typename Ops::Packed[]> words_of(const std::vector<float>& values, int rows, int columns,
                                                 float factor) {
    using Number = typename Ops::Number;
    const bool full = columns % Ops::kRowsPerWord == 0;
    const auto lines = static_cast<std::size_t>(full ? 1 : rows), count = values.size() / lines;
    const auto words = (count + Ops::kRowsPerWord - 1) / Ops::kRowsPerWord;
    auto packed = std::make_unique_for_overwrite<typename Ops::Packed[]>(words * lines);
    auto* to = reinterpret_cast<Number*>(packed.get());
    if (full && factor == 1) {
        Ops::from_floats(values.data(), count, to);
        return packed;
    }
    constexpr std::size_t kPiece = 512;  // of whole words
    float piece[kPiece];
    for (std::size_t r = 0; r < lines; ++r)
        for (std::size_t c = 0; c < words * Ops::kRowsPerWord; c += kPiece) {
            const auto there = std::min(kPiece, count - c), whole = std::min(kPiece, words * Ops::kRowsPerWord - c);
            for (std::size_t i = 0; i < there; ++i) piece[i] = factor * values[r * count + c + i];
            for (std::size_t i = there; i < whole; ++i) piece[i] = 0;
            Ops::from_floats(piece, whole, to + r * words * Ops::kRowsPerWord + c);
        }
    return packed;
}

// Words [rows, words] -> [words, stride], from column `begin` on: word p of a row holds what product() reads together.
template <typename Packed>
void transpose(const Packed* words, int rows, int words_each, Packed* to, std::size_t stride, int begin) {
    const auto count = static_cast<std::size_t>(rows), each = static_cast<std::size_t>(words_each);
    to += begin;
    for (std::size_t p = 0; p < each; ++p, to += stride)
        for (std::size_t r = 0; r < count; ++r) to[r] = words[r * each + p];
}

}  // namespace

std::size_t LowRank::packed_bytes(const std::vector<LowRankSlice>& slices, int in, Element element) {
    const int word = word_of(element);
    const auto number = size_of(element);
    auto bytes = Arena::rounded(static_cast<std::size_t>(round_up(in, word)) *
                                static_cast<std::size_t>(stacked_ranks(slices, word)) * number);
    for (const auto& slice : slices)
        bytes += Arena::rounded(static_cast<std::size_t>(round_up(slice.rank, word)) *
                                static_cast<std::size_t>(slice.out) * number);
    return bytes;
}

LowRank::LowRank(const std::vector<LowRankSlice>& slices, int in, int out, Element element, Arena& arena)
    : element_(element), in_(in), out_(out) {
    if (slices.empty()) return;
    if (element == Element::bf16)
        pack<Bf16Ops>(slices, arena);
    else
        pack<Fp32Ops>(slices, arena);
}

template <typename Ops>
void LowRank::pack(const std::vector<LowRankSlice>& slices, Arena& arena) {
    using Packed = typename Ops::Packed;
    ranks_ = stacked_ranks(slices, Ops::kRowsPerWord);
    const auto ranks = static_cast<std::size_t>(ranks_);
    const auto a_bytes =
        ranks * static_cast<std::size_t>(round_up(in_, Ops::kRowsPerWord)) * sizeof(typename Ops::Number);
    auto* a = static_cast<Packed*>(arena.take(a_bytes));  // zeroed, or filled: the columns between parts stay so
    begin_ = reinterpret_cast<const char*>(a);
    bytes_ = Arena::rounded(a_bytes);
    int begin = 0, covered = 0;
    for (const auto& [pair, rank, width, out_begin] : slices) {
        const auto words_for = [](int numbers) { return round_up(numbers, Ops::kRowsPerWord) / Ops::kRowsPerWord; };
        const int words = words_for(rank);
        const auto out = static_cast<std::size_t>(width),
                   b_bytes = static_cast<std::size_t>(words) * out * sizeof(Packed);
        auto* b = static_cast<Packed*>(arena.take(b_bytes));
        if (pair) {
            transpose(words_of<Ops>(pair->a, rank, in_, 1).get(), rank, words_for(in_), a, ranks, begin);
            transpose(words_of<Ops>(pair->b, width, rank, pair->scale).get(), width, words, b, out, 0);
        }
        parts_.push_back({begin, words, out_begin, width, b});
        bytes_ += Arena::rounded(b_bytes);
        begin += words * Ops::kRowsPerWord;
        covered += width;
    }
    a_ = a;
    covers_all_ = covered == out_;
}

template <typename Ops, typename Out>
void LowRank::run_parts(const void* x, Out* y, int rows, Workspace& scratch) const {
    using Number = typename Ops::Number;
    using Packed = typename Ops::Packed;
    const auto ranks = static_cast<std::size_t>(ranks_), out = static_cast<std::size_t>(out_);
    auto* inner = scratch.get<Number>(ranks * static_cast<std::size_t>(rows));
    const auto* from = static_cast<const Number*>(x);
    const auto* a = static_cast<const Packed*>(a_);
    const auto in = static_cast<std::size_t>(in_);
    const int words = in_ / Ops::kRowsPerWord;
    if (!Ops::deep_product(from, in, a, ranks, inner, ranks, rows, ranks_, words))
        Ops::product(from, in, a, ranks, inner, ranks, rows, ranks_, words, static_cast<const float*>(nullptr));
    if (!covers_all_) std::memset(y, 0, static_cast<std::size_t>(rows) * out * sizeof(Out));
    for (const auto& part : parts_) {
        const auto* u = static_cast<const Number*>(inner) + part.rank_begin;
        const auto* b = static_cast<const Packed*>(part.b);
        const auto width = static_cast<std::size_t>(part.out);
        auto* to = y + part.out_begin;
        if (!Ops::wide_product(u, ranks, b, width, to, out, rows, part.out, part.rank_words))
            Ops::product(u, ranks, b, width, to, out, rows, part.out, part.rank_words,
                         static_cast<const float*>(nullptr));
    }
}

void LowRank::run(const void* x, void* y, Element y_element, int rows, Workspace& scratch) const {
    if (element_ == Element::fp32) return run_parts<Fp32Ops>(x, static_cast<float*>(y), rows, scratch);
    if (y_element == Element::fp32) return run_parts<Bf16Ops>(x, static_cast<float*>(y), rows, scratch);
    run_parts<Bf16Ops>(x, static_cast<Bf16Ops::Number*>(y), rows, scratch);
}

void LowRank::prefetch() const {
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at < bytes_; at += kLine) __builtin_prefetch(begin_ + at, 0, 2);
}

void clear_rows(void* y, Element y_element, int rows, int out) {
    std::memset(y, 0, static_cast<std::size_t>(rows) * static_cast<std::size_t>(out) * size_of(y_element));
}

}  // namespace rootstock
