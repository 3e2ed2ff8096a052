#include "autograd/kernels/attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/attention.cpp"
#include <hwy/foreach_target.h>
//
#include <vector>

#include "autograd/kernels/attention_steps-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock {
namespace HWY_NAMESPACE {

// A thread's tables; they grow to the longest row met.
struct Tables {
    std::vector<float> queries, keys, keys_transposed, values, values_transposed, gradient;
    std::vector<float> scores, slopes, result, dkeys, dvalues;
    std::vector<std::uint32_t> pairs;
};

template <typename T>
HWY_INLINE T* room(std::vector<T>& table, std::int64_t size) {
    if (static_cast<std::int64_t>(table.size()) < size) table.resize(static_cast<std::size_t>(size));
    return table.data();
}

void forward_task(const AttentionRows& rows, const AttentionInputs& inputs, Matrix<Bf16> result, float* log_sums,
                  std::int64_t row, std::int64_t head) {
    static thread_local Tables tables;
    const auto task = make_task(rows, row, head);
    float* queries = room(tables.queries, task.queries_padded * task.width_padded);
    float* keys = room(tables.keys_transposed, task.width * task.keys_padded);
    float* values = room(tables.values, task.keys * task.width_padded);
    float* scores = room(tables.scores, group * task.keys_padded);
    float* out = room(tables.result, task.queries_padded * task.width_padded);
    unpack(inputs.queries, task.first_query, task.queries, task, task.queries_padded, queries);
    unpack(inputs.values, task.first, task.keys, task, task.keys, values);
    unpack_transposed(inputs.keys, task, room(tables.pairs, task.width / 2 * task.keys_padded), keys);
    for (std::int64_t i = 0; i < task.queries_padded; i += group) {
        float inverse[group], logs[group];
        against_keys(queries + i * task.width_padded, keys, task, scores);
        softmax(scores, task, rows.scale, inverse, logs);
        over_keys(scores, values, task, out + i * task.width_padded);
        scale_rows(out + i * task.width_padded, task, inverse);
        for (std::int64_t g = 0; g < std::min(group, task.queries - i); ++g)
            log_sums[(task.first_query + i + g) * rows.heads + head] = logs[g];
    }
    pack(out, task.queries, task, result, task.first_query);
}

void backward_task(const AttentionRows& rows, const AttentionInputs& inputs, const float* log_sums,
                   Matrix<const Bf16> gradient, const AttentionGradients& result, std::int64_t row, std::int64_t head) {
    static thread_local Tables tables;
    const auto task = make_task(rows, row, head);
    const auto wide = task.width_padded;
    float* queries = room(tables.queries, task.queries_padded * wide);
    float* keys = room(tables.keys, task.keys * wide);
    float* keys_transposed = room(tables.keys_transposed, task.width * task.keys_padded);
    float* values_transposed = room(tables.values_transposed, task.width * task.keys_padded);
    float* upstream = room(tables.gradient, task.queries_padded * wide);
    float* scores = room(tables.scores, group * task.keys_padded);
    float* slopes = room(tables.slopes, group * task.keys_padded);
    float* dqueries = room(tables.result, task.queries_padded * wide);
    float* dkeys = room(tables.dkeys, task.keys * wide);
    float* dvalues = room(tables.dvalues, task.keys * wide);
    auto* pairs = room(tables.pairs, task.width / 2 * task.keys_padded);
    unpack(inputs.queries, task.first_query, task.queries, task, task.queries_padded, queries);
    unpack(gradient, task.first_query, task.queries, task, task.queries_padded, upstream);
    unpack(inputs.keys, task.first, task.keys, task, task.keys, keys);
    unpack_transposed(inputs.keys, task, pairs, keys_transposed);
    unpack_transposed(inputs.values, task, pairs, values_transposed);
    std::fill(dkeys, dkeys + task.keys * wide, 0.0f);
    std::fill(dvalues, dvalues + task.keys * wide, 0.0f);
    for (std::int64_t i = 0; i < task.queries_padded; i += group) {
        float logs[group] = {};  // a padding query has gradient zero, so its weights do not matter
        for (std::int64_t g = 0; g < std::min(group, task.queries - i); ++g)
            logs[g] = log_sums[(task.first_query + i + g) * rows.heads + head];
        against_keys(queries + i * wide, keys_transposed, task, scores);
        against_keys(upstream + i * wide, values_transposed, task, slopes);
        softmax_backward(scores, slopes, task, rows.scale, logs);
        over_keys(slopes, keys, task, dqueries + i * wide);
        onto_keys(slopes, queries + i * wide, task, dkeys);
        onto_keys(scores, upstream + i * wide, task, dvalues);
    }
    pack(dqueries, task.queries, task, result.queries, task.first_query);
    pack(dkeys, task.keys, task, result.keys, task.first);
    pack(dvalues, task.keys, task, result.values, task.first);
}

}  // namespace HWY_NAMESPACE
}  // namespace rootstock
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rootstock {

HWY_EXPORT(forward_task);
HWY_EXPORT(backward_task);

namespace {

void clear_from(Matrix<Bf16> matrix, std::int64_t first) {
    for (std::int64_t row = first; row < matrix.rows; ++row)
        std::memset(matrix.row(row), 0, static_cast<std::size_t>(matrix.columns) * sizeof(Bf16));
}

}  // namespace

// Each task writes places of its own, so the order in which threads take tasks cannot change a result.
void attention_forward(const AttentionRows& rows, const AttentionInputs& inputs, Matrix<Bf16> result, float* log_sums) {
    clear_from(result, rows.query_offsets.back());
    auto run = HWY_DYNAMIC_DISPATCH(forward_task);
#pragma omp parallel for schedule(dynamic, 8)
    for (std::int64_t task = 0; task < rows.rows() * rows.heads; ++task)
        run(rows, inputs, result, log_sums, task / rows.heads, task % rows.heads);
}

void attention_backward(const AttentionRows& rows, const AttentionInputs& inputs, const float* log_sums,
                        Matrix<const Bf16> gradient, const AttentionGradients& result) {
    clear_from(result.queries, rows.query_offsets.back());
    clear_from(result.keys, rows.offsets.back());
    clear_from(result.values, rows.offsets.back());
    auto run = HWY_DYNAMIC_DISPATCH(backward_task);
#pragma omp parallel for schedule(dynamic, 8)
    for (std::int64_t task = 0; task < rows.rows() * rows.heads; ++task)
        run(rows, inputs, log_sums, gradient, result, task / rows.heads, task % rows.heads);
}

}  // namespace rootstock
#endif
