#include "native/kernels/attention.h"

#include <algorithm>
#include <cstring>

#include "native/kernels/arithmetic.h"
#include "native/kernels/passes.h"

namespace rootstock {

namespace {

constexpr int kQueriesAtOnce = 64;  // their scores against 512 keys stay in the second-level cache

template <typename T>
T* take(char*& at, std::size_t count) {
    auto* place = reinterpret_cast<T*>(at);
    at += (count * sizeof(T) + 63) / 64 * 64;
    return place;
}

// Some queries of one head, or the one query of a group's heads: rows of one product with the same keys and values.
template <typename Ops>
struct Tile {
    using Number = typename Ops::Number;
    using Packed = typename Ops::Packed;

    // Where scores, weights and sums of up to kQueriesAtOnce rows over `tokens` keys stand in the workspace.
    Tile(Workspace& workspace, int keys, int head_width)
        : d(head_width), tokens(keys), span(static_cast<std::size_t>(round_up(keys, 16))) {
        const auto rows = static_cast<std::size_t>(kQueriesAtOnce), width = static_cast<std::size_t>(d);
        const auto bytes =
            rows * (span * (sizeof(float) + sizeof(Number)) + sizeof(float) + 2 * width * sizeof(float)) +
            16 * sizeof(Number) + 5 * 64;
        auto* at = workspace.get<char>(bytes);
        scores = take<float>(at, rows * span);
        weights = take<Number>(at, rows * span + 16);  // softmax may write one zero behind a row
        factors = take<float>(at, rows);
        sums = take<float>(at, rows * width);
        part = take<float>(at, rows * width);
    }

    int first_seen(int row) const {
        return sight->causal && sight->window > 0 ? std::max(0, position(row) - sight->window + 1) : 0;
    }
    int end_seen(int row) const { return sight->causal ? std::min(tokens, position(row) + 1) : tokens; }
    int position(int row) const { return sight->first + query + (one_query ? 0 : row); }

    void run(std::span<const KeyValuePiece> pieces, int key_value_head) {
        low = first_seen(0) / 16 * 16;  // positions grow with the row
        high = end_seen(count - 1);
        for (const auto& piece : pieces) score(piece, key_value_head);
        if (sight->bias) add_bias();
        weigh();
        gather(pieces, key_value_head);
    }

    struct Part {
        int from, to;  // columns of the piece that some row of the tile sees
    };
    Part seen(const KeyValuePiece& piece) const {
        return {std::max(0, low - piece.begin), std::min(piece.tokens, high - piece.begin)};
    }

    void score(const KeyValuePiece& piece, int head) {
        const auto [from, to] = seen(piece);
        if (from >= to) return;
        const auto* keys = reinterpret_cast<const Packed*>(static_cast<const char*>(piece.keys) +
                                                           static_cast<std::size_t>(head) * piece.keys_step);
        Ops::product(queries, query_stride, keys + from, static_cast<std::size_t>(piece.stride),
                     scores + piece.begin + from, span, count, to - from, d / Ops::kRowsPerWord,
                     static_cast<const float*>(nullptr));
    }

    void add_bias() {
        for (int row = 0; row < count; ++row) {
            const auto head = static_cast<std::size_t>(first_head + (one_query ? row : 0));
            const int from = first_seen(row);
            const auto* line = sight->bias + head * sight->bias_stride + sight->bias_zero + from - position(row);
            auto* place = scores + static_cast<std::size_t>(row) * span + from;
            fp32::sum_rows(place, line, nullptr, end_seen(row) - from, place);
        }
    }

    void weigh() {
        if (!sight->causal) return Ops::softmax(scores, span, count, tokens, scale, weights, span, factors);
        for (int row = 0; row < count; ++row) {
            const auto begin = static_cast<std::size_t>(row) * span;
            const int from = first_seen(row), to = end_seen(row);
            const auto zero = [&](int first, int end) {
                std::memset(weights + begin + first, 0, static_cast<std::size_t>(end - first) * sizeof(Number));
            };
            Ops::softmax(scores + begin + from, span, 1, to - from, scale, weights + begin + from, span, factors + row);
            zero(low, from);
            zero(to, std::min(static_cast<int>(span), round_up(high, Ops::kRowsPerWord)));
        }
    }

    template <typename Out>
    void add_up(const KeyValuePiece& piece, int head, Out* to_place, std::size_t stride, const float* by) {
        const auto [from, to] = seen(piece);
        const int word = Ops::kRowsPerWord;
        const auto* values = reinterpret_cast<const Packed*>(static_cast<const char*>(piece.values) +
                                                             static_cast<std::size_t>(head) * piece.values_step);
        Ops::product(weights + piece.begin + from, span, values + static_cast<std::size_t>(from / word * d),
                     static_cast<std::size_t>(d), to_place, stride, count, d, (to - from + word - 1) / word, by);
    }

    void gather(std::span<const KeyValuePiece> pieces, int head) {
        if (pieces.size() == 1) return add_up(pieces.front(), head, out, out_stride, factors);
        const auto numbers = static_cast<std::size_t>(count * d);
        bool some = false;
        for (const auto& piece : pieces) {
            if (const auto [from, to] = seen(piece); from >= to) continue;
            add_up(piece, head, some ? part : sums, static_cast<std::size_t>(d), nullptr);
            if (some) fp32::sum_rows(sums, part, nullptr, static_cast<int>(numbers), sums);
            some = true;
        }
        for (int row = 0; row < count; ++row) {
            auto* line = sums + static_cast<std::size_t>(row * d);
            passes::scale(line, static_cast<std::size_t>(d), factors[row]);
            Ops::from_floats(line, static_cast<std::size_t>(d), out + static_cast<std::size_t>(row) * out_stride);
        }
    }

    int d, tokens;
    std::size_t span;
    float *scores, *factors, *sums, *part;
    Number* weights;

    const Sight* sight = nullptr;
    float scale = 1;
    bool one_query = false;  // rows are heads of one token; else tokens of one head
    int first_head = 0, query = 0, count = 0, low = 0, high = 0;
    const Number* queries = nullptr;
    std::size_t query_stride = 0, out_stride = 0;
    Number* out = nullptr;
};

}  // namespace

template <typename Ops>
void Attention::run_group(const Queries& queries, std::span<const KeyValuePiece> pieces, const Sight& sight,
                          int key_value_head) {
    using Number = typename Ops::Number;
    const int d = shape_.head_width, group = shape_.group(), head = key_value_head * group;
    const auto width = static_cast<std::size_t>(shape_.query_width());
    Tile<Ops> tile(workspace_, pieces.back().begin + pieces.back().tokens, d);
    tile.sight = &sight;
    tile.scale = shape_.scale;
    const auto* from = static_cast<const Number*>(queries.at);
    auto* to = static_cast<Number*>(queries.out);
    if (queries.count == 1 && group > 1 && group <= kQueriesAtOnce) {
        tile.one_query = true;
        tile.first_head = head, tile.count = group;
        tile.queries = from + head * d, tile.out = to + head * d;
        tile.query_stride = tile.out_stride = static_cast<std::size_t>(d);
        return tile.run(pieces, key_value_head);
    }
    tile.query_stride = queries.stride, tile.out_stride = width;
    for (int member = head; member < head + group; ++member)
        for (int first = 0; first < queries.count; first += kQueriesAtOnce) {
            tile.first_head = member, tile.query = first;
            tile.count = std::min(kQueriesAtOnce, queries.count - first);
            tile.queries = from + static_cast<std::size_t>(first) * queries.stride + member * d;
            tile.out = to + static_cast<std::size_t>(first) * width + member * d;
            tile.run(pieces, key_value_head);
        }
}

template <typename Ops>
void Attention::run_rows(const Queries& queries, const void* keys, const void* values, std::size_t stride, int tokens,
                         const Sight& sight, int begin, int end) {
    using Number = typename Ops::Number;
    using Packed = typename Ops::Packed;
    const int d = shape_.head_width, word = Ops::kRowsPerWord, span = round_up(tokens, 16);
    const auto key_words = static_cast<std::size_t>(d / word) * static_cast<std::size_t>(span);
    const auto value_words = static_cast<std::size_t>((tokens + word - 1) / word) * static_cast<std::size_t>(d);
    auto* at = packed_.get<char>((key_words + value_words) * sizeof(Packed) + 2 * 64);
    auto* packed_keys = take<Packed>(at, key_words);
    auto* packed_values = take<Packed>(at, value_words);
    const KeyValuePiece piece{packed_keys, packed_values, 0, 0, 0, tokens, span};
    for (int head = begin; head < end; ++head) {
        Ops::pack_columns(static_cast<const Number*>(keys) + head * d, stride, tokens, d, packed_keys, span);
        Ops::pack_rows(static_cast<const Number*>(values) + head * d, stride, tokens, d, packed_values);
        run_group<Ops>(queries, {&piece, 1}, sight, head);
    }
}

template <typename Ops>
void Attention::run_pieces(const Queries& queries, std::span<const KeyValuePiece> pieces, const Sight& sight, int begin,
                           int end) {
    for (int head = begin; head < end; ++head) run_group<Ops>(queries, pieces, sight, head);
}

void Attention::run(const Queries& queries, const void* keys, const void* values, std::size_t stride, int tokens,
                    const Sight& sight, int begin, int end) {
    if (element_ == Element::bf16)
        run_rows<Bf16Ops>(queries, keys, values, stride, tokens, sight, begin, end);
    else
        run_rows<Fp32Ops>(queries, keys, values, stride, tokens, sight, begin, end);
}

void Attention::run(const Queries& queries, std::span<const KeyValuePiece> pieces, const Sight& sight, int begin,
                    int end) {
    if (element_ == Element::bf16)
        run_pieces<Bf16Ops>(queries, pieces, sight, begin, end);
    else
        run_pieces<Fp32Ops>(queries, pieces, sight, begin, end);
}

}  // namespace rootstock
