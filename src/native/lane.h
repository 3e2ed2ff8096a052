#pragma once
// One forward pass over some rows of a batch, in memory of its own. The executor runs several lanes side by side, each
// on one thread and on its own rows; or, when there is too little to share, one lane on all threads.
//
// A pass is the same for every family: embed, the layers of one stack, the final norm, and what is asked for. Norms
// stand before or after; the residual stream is `state_`, what a sub-layer adds is `update_`, and `input_` is what the
// next products read.

#include <span>
#include <vector>

#include "native/cache/cache_parts.h"
#include "native/kernels/attention.h"
#include "native/kernels/rotary.h"
#include "native/parts.h"

namespace rootstock {

enum class Want {
    hidden,
    embedding,
    logits,        // of a sequence head: one token per row goes through the last layer
    token_logits,  // of the model's head for every token
    next_logits,   // of the model's head for each row's last token
    cross_memory   // what the decoder will look at: into the cache
};

// What one call of the executor asks for. Results go to their row's place, whichever lane computes them.
struct Task {
    const PackedBatch& batch;
    RowAdapters adapters;
    Want want;
    float* out;                            // [tokens, width], [rows, width], or logits
    const std::int32_t* offsets;           // of each row's logits in out
    const float* pixels = nullptr;         // of images; the batch has their tokens' number only
    Cache::Parts* cache = nullptr;         // rows go on from their sequence's past
    std::span<const int> sequences{};      // of each row, in the cache
    const ColumnBatch* columns = nullptr;  // of a table; the batch has their tokens' number only
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

    enum class Keep { all, first, last };  // tokens of each row that go on behind the last layer's attention

    void lay_out(const Task& task, std::span<const int> rows);
    void reserve(int tokens);
    void cover_positions();
    Keep keep(const Task& task) const;
    void embed(const Task& task);
    void embed_token(std::int32_t id, std::int32_t type, int position, int token, float* scratch);
    void embed_images(const Task& task);
    void embed_columns(const Task& task);

    void layer(const Task& task, std::size_t index, Keep kept);
    void mlp(const LayerWeights& weights, std::size_t index);
    void finish();

    void rotate();
    void attend(const Task& task, const LayerWeights& weights, std::size_t index, Keep kept);
    void attend_row(const Task& task, std::size_t row, std::size_t index, const Sight& sight, Queries queries,
                    int head_begin, int head_end, int thread);
    void attend_cross(const Task& task, std::size_t index);
    void store_keys(const Task& task, std::size_t index);
    void keep_tokens(Keep kept);
    void mix_heads(const LayerWeights& weights, std::size_t index);

    template <typename Update>
    void linear(const Linear& map, const void* x, void* y, const Update& update);
    template <typename Update>
    bool low_rank(const Linear& map, const void* x, void* y, const Update& update);
    void add_norm(const NormWeights& norm, bool with_update);
    void norm_to_input(const NormWeights& norm, bool with_update);

    void deliver(const Task& task, std::span<const int> rows);
    void deliver_logits(const Task& task, std::span<const int> rows);
    void deliver_token_logits(const Task& task, std::span<const int> rows);
    void deliver_words(const Task& task, std::span<const int> rows);
    void deliver_cross(const Task& task);
    void classify(const Head& head, const float* state, float* out, int thread);

    // Calls work(item, thread) for every item, on all of the lane's threads.
    template <typename Work>
    void parallel(int items, const Work& work);
    template <typename Work>
    void parallel_tokens(const Work& work);

    std::size_t rows() const { return batch_tokens_.size(); }
    int begin(std::size_t row) const { return row_offsets_[row]; }
    int count(std::size_t row) const { return row_offsets_[row + 1] - row_offsets_[row]; }
    float* state(int token) { return state_ + static_cast<std::size_t>(token) * width_; }
    char* numbers(void* matrix, std::size_t row, std::size_t width) const {
        return static_cast<char*>(matrix) + row * width * size_of(element_);
    }
    std::uint16_t* input_bf16(int token) {
        return static_cast<std::uint16_t*>(input_) + static_cast<std::size_t>(token) * width_;
    }

    const NativeModel::Parts& model_;
    const int threads_;
    const std::size_t width_, query_width_, key_value_width_, qkv_width_;
    const Element element_;
    LinearRunner runner_;
    std::vector<Attention> attention_;                // one per thread
    std::vector<Workspace> scratch_;                  // one per thread
    std::vector<std::vector<KeyValuePiece>> pieces_;  // one per thread
    std::vector<RotaryTable> rotary_;                 // one for all rows; for stretched rows one per thread more
    Workspace state_memory_, input_memory_, qkv_memory_, context_memory_, update_memory_, inner_memory_, gate_memory_,
        patch_memory_, words_memory_;

    const StackWeights* stack_ = nullptr;
    std::vector<int> row_offsets_;   // of this pass: [rows + 1]
    std::vector<int> batch_tokens_;  // where each row begins in the batch
    std::vector<int> sequences_;     // of each row, in the cache
    std::vector<int> past_;          // tokens each row's sequence has in the cache
    std::vector<Segment> segments_;
    std::vector<float> bias_lines_;  // [heads, 2 bias_zero_ + 1] relative bias by distance
    const StackWeights* bias_of_ = nullptr;
    int bias_zero_ = 0;
    int tokens_ = 0;
    float* state_ = nullptr;  // [tokens, width] residual stream
    void* input_ = nullptr;   // [tokens, width] what products read: in post-norm fp32 the state itself
    void *qkv_ = nullptr, *context_ = nullptr, *inner_ = nullptr, *gate_ = nullptr;
    float* update_ = nullptr;  // [tokens, width] what a sub-layer adds
};

}  // namespace rootstock
