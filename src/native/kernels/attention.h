#pragma once
// Attention (Vaswani et al., 2017) over packed rows: each row's tokens see that row only, and cost only themselves.
//
//   out = softmax(scale Q K' + bias) V    per row and head; no padding
//
// Heads may share keys and values in groups (Ainslie et al., 2023). A query may see keys behind it only, or the last
// few of them; scores that it does not see are not weighted, and mostly not computed.

#include <span>

#include "native/kernels/element.h"
#include "native/kernels/memory.h"

namespace rootstock {

struct AttentionShape {
    int heads = 0;
    int head_width = 0;
    int key_value_heads = 0;
    float scale = 0;
    int query_width() const { return heads * head_width; }
    int key_value_width() const { return key_value_heads * head_width; }
    int group() const { return heads / key_value_heads; }
};

// What a query at position p sees: keys [0, p] when causal, of these the last `window` (0: all); else every key.
struct Sight {
    bool causal = false;
    int window = 0;
    int first = 0;  // position of the first query
    // Added to the score of query p and key k of head h: bias[h x bias_stride + bias_zero + k - p]. Null: nothing.
    const float* bias = nullptr;
    std::size_t bias_stride = 0;
    int bias_zero = 0;
};

// The heads' queries of neighbouring tokens, [count, heads x head_width] at `stride`, and where results go.
struct Queries {
    const void* at = nullptr;
    std::size_t stride = 0;  // in numbers
    int count = 0;
    void* out = nullptr;  // [count, heads x head_width], no gaps
};

// Keys and values of neighbouring tokens as products read them (fp32.h, bf16.h: pack_columns, pack_rows). Those of a
// key-value head h begin h x keys_step and h x values_step bytes further. The first stands at position `begin`, a
// multiple of 16; all pieces before it are full.
struct KeyValuePiece {
    const void* keys = nullptr;
    const void* values = nullptr;
    std::size_t keys_step = 0, values_step = 0;
    int begin = 0, tokens = 0;
    int stride = 0;  // columns of a packed key row, at least tokens rounded up to 16
};

// Runs heads one at a time in memory of its own; one per thread.
class Attention {
public:
    Attention(AttentionShape shape, Element element) : shape_(shape), element_(element) {}

    // Key-value heads [begin, end) with all their queries. `keys` and `values` [tokens, key_value_width] at `stride`.
    void run(const Queries& queries, const void* keys, const void* values, std::size_t stride, int tokens,
             const Sight& sight, int begin, int end);

    // The same over keys and values that are packed already (a cache).
    void run(const Queries& queries, std::span<const KeyValuePiece> pieces, const Sight& sight, int begin, int end);

private:
    template <typename Ops>
    void run_rows(const Queries& queries, const void* keys, const void* values, std::size_t stride, int tokens,
                  const Sight& sight, int begin, int end);
    template <typename Ops>
    void run_pieces(const Queries& queries, std::span<const KeyValuePiece> pieces, const Sight& sight, int begin,
                    int end);
    template <typename Ops>
    void run_group(const Queries& queries, std::span<const KeyValuePiece> pieces, const Sight& sight, int head);

    AttentionShape shape_;
    Element element_;
    Workspace packed_, workspace_;
};

}  // namespace rootstock
