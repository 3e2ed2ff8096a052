#pragma once
// Attention (Vaswani et al., 2017) over packed rows: each row's tokens see that row only, and cost only themselves.
//
//   out = softmax(Q K' / sqrt(head_width)) V    per row and head; no mask, no padding

#include "native/kernels/element.h"
#include "native/kernels/memory.h"

namespace rootstock {

struct AttentionShape {
    int heads = 0;
    int head_width = 0;
    int width() const { return heads * head_width; }
};

// Runs heads one at a time in memory of its own; one per thread.
class Attention {
public:
    Attention(AttentionShape shape, Element element) : shape_(shape), element_(element) {}

    // qkv [tokens, 3 width]: query, key and value of one row's tokens, side by side. out [queries, width] receives the
    // results of the first `queries` tokens for heads [head_begin, head_end).
    void run(const void* qkv, int tokens, int queries, int head_begin, int head_end, void* out);

private:
    template <typename Ops>
    void run_heads(const void* qkv, int tokens, int queries, int head_begin, int head_end, void* out);

    AttentionShape shape_;
    Element element_;
    Workspace workspace_;
};

}  // namespace rootstock
