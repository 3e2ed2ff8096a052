#include "native/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "native/kernels/arithmetic.h"

namespace rootstock {

namespace {

constexpr int kQueriesAtOnce = 64;  // their scores against 512 keys stay in the second-level cache

// Where one head's packed keys, packed values, scores, weights and sums stand in the workspace.
template <typename Ops>
struct Places {
    Places(Workspace& workspace, int tokens, int head_width)
        : keys_stride(round_up(tokens, 16)), weights_stride(round_up(tokens, 16)) {
        const auto word = static_cast<std::size_t>(Ops::kRowsPerWord);
        const auto width = static_cast<std::size_t>(head_width), span = static_cast<std::size_t>(keys_stride);
        const auto key_words = (width + word - 1) / word * span;
        const auto value_words = (static_cast<std::size_t>(tokens) + word - 1) / word * round_up_16(width);
        const auto bytes = (key_words + value_words) * sizeof(typename Ops::Packed) +
                           kQueriesAtOnce * (span * (sizeof(float) + sizeof(typename Ops::Number)) + sizeof(float));
        auto* at = workspace.get<char>(bytes);
        keys = take<typename Ops::Packed>(at, key_words);
        values = take<typename Ops::Packed>(at, value_words);
        scores = take<float>(at, kQueriesAtOnce * span);
        weights = take<typename Ops::Number>(at, kQueriesAtOnce * span);
        factors = take<float>(at, kQueriesAtOnce);
    }

    static std::size_t round_up_16(std::size_t value) { return (value + 15) / 16 * 16; }

    template <typename T>
    static T* take(char*& at, std::size_t count) {
        auto* place = reinterpret_cast<T*>(at);
        at += count * sizeof(T);
        return place;
    }

    int keys_stride, weights_stride;
    typename Ops::Packed *keys, *values;
    float* scores;
    typename Ops::Number* weights;
    float* factors;
};

}  // namespace

template <typename Ops>
void Attention::run_heads(const void* qkv, int tokens, int queries, int head_begin, int head_end, void* out) {
    using Number = typename Ops::Number;
    const int d = shape_.head_width, word = Ops::kRowsPerWord;
    const auto width = static_cast<std::size_t>(shape_.width()), stride = 3 * width;
    const auto keys_span = static_cast<std::size_t>(round_up(tokens, 16));
    const Places<Ops> p(workspace_, tokens, d);
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    for (int head = head_begin; head < head_end; ++head) {
        const auto* query = static_cast<const Number*>(qkv) + head * d;
        Ops::pack_columns(query + width, stride, tokens, d, p.keys, p.keys_stride);
        Ops::pack_rows(query + 2 * width, stride, tokens, d, p.values);
        for (int first = 0; first < queries; first += kQueriesAtOnce) {
            const int count = std::min(kQueriesAtOnce, queries - first);
            const auto begin = static_cast<std::size_t>(first);
            Ops::product(query + begin * stride, stride, p.keys, keys_span, p.scores, keys_span, count, tokens,
                         d / word, static_cast<const float*>(nullptr));
            Ops::softmax(p.scores, keys_span, count, tokens, scale, p.weights, keys_span, p.factors);
            Ops::product(p.weights, keys_span, p.values, static_cast<std::size_t>(d),
                         static_cast<Number*>(out) + begin * width + head * d, width, count, d,
                         (tokens + word - 1) / word, static_cast<const float*>(p.factors));
        }
    }
}

void Attention::run(const void* qkv, int tokens, int queries, int head_begin, int head_end, void* out) {
    if (element_ == Element::bf16)
        run_heads<Bf16Ops>(qkv, tokens, queries, head_begin, head_end, out);
    else
        run_heads<Fp32Ops>(qkv, tokens, queries, head_begin, head_end, out);
}

}  // namespace rootstock
