#pragma once
// One forward pass over some rows of a batch, in memory of its own. The executor runs several lanes side by side, each
// on one thread and on its own rows; or, when there is too little to share, one lane on all threads.

#include <span>
#include <vector>

#include "native/kernels/attention.h"
#include "native/parts.h"

namespace rootstock {

enum class Want { hidden, embedding, logits };

// What one call of the executor asks for. Results go to their row's place, whichever lane computes them.
struct Task {
    const PackedBatch& batch;
    RowAdapters adapters;
    Want want;
    float* out;                   // [tokens, width], [rows, width], or logits
    const std::int32_t* offsets;  // of each row's logits in out
};

class Lane {
public:
    Lane(const NativeModel::Parts& model, int threads);

    // `rows` of the batch, rows of one adapter side by side.
    void run(const Task& task, std::span<const int> rows);

    std::size_t primitives() const { return runner_.primitives(); }

private:
    // Neighbouring rows of one adapter: rows [row_begin, row_end), tokens [begin, end) of this pass.
    struct Segment {
        const NativeAdapter::Parts* adapter;
        int row_begin, row_end;
        int begin, end;
    };

    void lay_out(const Task& task, std::span<const int> rows);
    void reserve(int tokens);
    void embed(const Task& task);
    void embed_token(std::int32_t id, std::int32_t type, int position, int token, float* scratch);
    void layer(std::size_t index, bool first_tokens_only);
    void attend(bool first_tokens_only);
    void keep_first_tokens();
    template <typename Update>
    void linear(const Linear& map, const void* x, void* y, const Update& update);
    template <typename Update>
    bool low_rank(const Linear& map, const void* x, void* y, const Update& update);
    void add_norm(const NormWeights& norm, bool with_update);
    void deliver(const Task& task, std::span<const int> rows);
    void deliver_logits(const Task& task, std::span<const int> rows);

    // Calls work(item, thread) for every item, on all of the lane's threads.
    template <typename Work>
    void parallel(int items, const Work& work);

    float* state(int token) { return state_ + static_cast<std::size_t>(token) * width_; }
    std::uint16_t* input_bf16(int token) {
        return static_cast<std::uint16_t*>(input_) + static_cast<std::size_t>(token) * width_;
    }

    const NativeModel::Parts& model_;
    const int threads_;
    const std::size_t width_;
    const Element element_;
    LinearRunner runner_;
    std::vector<Attention> attention_;  // one per thread
    std::vector<Workspace> scratch_;    // one per thread
    Workspace state_memory_, input_memory_, qkv_memory_, context_memory_, update_memory_, inner_memory_;

    std::vector<int> row_offsets_;   // of this pass: [rows + 1]
    std::vector<int> batch_tokens_;  // where each row begins in the batch
    std::vector<Segment> segments_;
    int tokens_ = 0;
    float* state_ = nullptr;  // [tokens, width] residual stream
    void* input_ = nullptr;   // the same as products read it: the state itself, or its bf16 copy
    void *qkv_ = nullptr, *context_ = nullptr, *inner_ = nullptr;
    float* update_ = nullptr;  // [tokens, width] what a sub-layer adds
};

}  // namespace rootstock
