#include "native/kernels/low_rank.h"

#include <cstring>

#include "native/kernels/arithmetic.h"

namespace rootstock {

namespace {

// Every part begins on a whole word of the inner products.
int stacked_ranks(const std::vector<LowRankSlice>& slices, int word) {
    int ranks = 0;
    for (const auto& slice : slices) ranks += round_up(slice.pair->rank, word);
    return ranks;
}

int word_of(Element element) { return element == Element::bf16 ? Bf16Ops::kRowsPerWord : Fp32Ops::kRowsPerWord; }

// [rows, columns] fp32 -> the executor's packed layout in the arena.
template <typename Ops>
const void* pack_matrix(const std::vector<float>& values, int rows, int columns, Arena& arena) {
    std::vector<typename Ops::Number> numbers(values.size());
    Ops::from_floats(values.data(), values.size(), numbers.data());
    const auto words = static_cast<std::size_t>((rows + Ops::kRowsPerWord - 1) / Ops::kRowsPerWord);
    auto* place = static_cast<typename Ops::Packed*>(
        arena.take(words * static_cast<std::size_t>(columns) * sizeof(typename Ops::Packed)));
    Ops::pack_rows(numbers.data(), static_cast<std::size_t>(columns), rows, columns, place);
    return place;
}

// [rank, out] with the scale in it, from B [out, rank].
std::vector<float> scaled_b(const LoraPair& pair) {
    const auto rank = static_cast<std::size_t>(pair.rank), out = static_cast<std::size_t>(pair.out);
    std::vector<float> b(rank * out);
    for (std::size_t o = 0; o < out; ++o)
        for (std::size_t r = 0; r < rank; ++r) b[r * out + o] = pair.scale * pair.b[o * rank + r];
    return b;
}

}  // namespace

std::size_t LowRank::packed_bytes(const std::vector<LowRankSlice>& slices, int in, Element element) {
    const int word = word_of(element);
    const auto number = size_of(element);
    auto bytes = Arena::rounded(static_cast<std::size_t>(round_up(in, word)) *
                                static_cast<std::size_t>(stacked_ranks(slices, word)) * number);
    for (const auto& slice : slices)
        bytes += Arena::rounded(static_cast<std::size_t>(round_up(slice.pair->rank, word)) *
                                static_cast<std::size_t>(slice.pair->out) * number);
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
    ranks_ = stacked_ranks(slices, Ops::kRowsPerWord);
    const auto in = static_cast<std::size_t>(in_), ranks = static_cast<std::size_t>(ranks_);
    std::vector<float> a(in * ranks);
    int begin = 0, covered = 0;
    for (const auto& [pair, out_begin] : slices) {
        for (int r = 0; r < pair->rank; ++r)
            for (std::size_t i = 0; i < in; ++i)
                a[i * ranks + static_cast<std::size_t>(begin + r)] = pair->a[static_cast<std::size_t>(r) * in + i];
        const int padded = round_up(pair->rank, Ops::kRowsPerWord);
        parts_.push_back({begin, padded / Ops::kRowsPerWord, out_begin, pair->out,
                          pack_matrix<Ops>(scaled_b(*pair), pair->rank, pair->out, arena)});
        begin += padded;
        covered += pair->out;
    }
    a_ = pack_matrix<Ops>(a, in_, ranks_, arena);
    begin_ = static_cast<const char*>(parts_.front().b);
    bytes_ =
        static_cast<std::size_t>(static_cast<const char*>(a_) - begin_) + in * ranks * sizeof(typename Ops::Number);
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
