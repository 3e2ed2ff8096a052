#include "autograd/kernels/attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/attention.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "autograd/kernels/vectors-inl.h"

// A task is one row and one head. Its matrices are copied out of bfloat16 into small fp32 tables, padded with zeros to
// whole vectors and to groups of four queries, so that the inner loops have no remainders.

HWY_BEFORE_NAMESPACE();
namespace rootstock {
namespace HWY_NAMESPACE {

constexpr std::int64_t group = 4;  // queries handled together: four sums hide the latency of a multiply-add

HWY_INLINE std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

struct Task {
    std::int64_t first, keys, first_query, queries, column, width;  // width: of a head
    std::int64_t keys_padded, queries_padded, width_padded;
};

HWY_INLINE Task make_task(const AttentionRows& rows, std::int64_t row, std::int64_t head) {
    auto at = static_cast<std::size_t>(row);
    Task task{};
    task.first = rows.offsets[at];
    task.keys = rows.offsets[at + 1] - task.first;
    task.first_query = rows.query_offsets[at];
    task.queries = rows.query_offsets[at + 1] - task.first_query;
    task.width = rows.head_width;
    task.column = head * rows.head_width;
    task.keys_padded = round_up(task.keys, 16);
    task.queries_padded = round_up(task.queries, group);
    task.width_padded = round_up(task.width, 16);
    return task;
}

// [count, width] as fp32 rows of `padded` columns; rows up to count_padded are zero.
HWY_INLINE void unpack(Matrix<const Bf16> from, std::int64_t first, std::int64_t count, const Task& task,
                       std::int64_t count_padded, float* to) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    for (std::int64_t i = 0; i < count; ++i) {
        const Bf16* source = from.row(first + i) + task.column;
        float* line = to + i * task.width_padded;
        std::int64_t d = 0;
        for (; d + lanes <= task.width; d += lanes) hn::StoreU(load_bf16(source + d), f, line + d);
        for (; d < task.width; ++d) line[d] = from_bf16(source[d]);
        for (; d < task.width_padded; ++d) line[d] = 0;
    }
    std::fill(to + count * task.width_padded, to + count_padded * task.width_padded, 0.0f);
}

// [keys, width] rows -> [width, keys] with zeros beyond the keys.
HWY_INLINE void transpose(const float* from, const Task& task, float* to) {
    for (std::int64_t d = 0; d < task.width; ++d) {
        float* line = to + d * task.keys_padded;
        for (std::int64_t j = 0; j < task.keys; ++j) line[j] = from[j * task.width_padded + d];
        for (std::int64_t j = task.keys; j < task.keys_padded; ++j) line[j] = 0;
    }
}

HWY_INLINE void pack(const float* from, std::int64_t count, const Task& task, Matrix<Bf16> to, std::int64_t first) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    for (std::int64_t i = 0; i < count; ++i) {
        const float* line = from + i * task.width_padded;
        Bf16* target = to.row(first + i) + task.column;
        std::int64_t d = 0;
        for (; d + lanes <= task.width; d += lanes) store_bf16(hn::LoadU(f, line + d), target + d);
        for (; d < task.width; ++d) target[d] = to_bf16(line[d]);
    }
}

// out[group, keys_padded] = left[group, width] x right[width, keys_padded]
HWY_INLINE void against_keys(const float* left, const float* right, const Task& task, float* out) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto wide = task.width_padded;
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes) {
        auto s0 = hn::Zero(f), s1 = s0, s2 = s0, s3 = s0;
        for (std::int64_t d = 0; d < task.width; ++d) {
            auto r = hn::LoadU(f, right + d * task.keys_padded + j);
            s0 = hn::MulAdd(hn::Set(f, left[d]), r, s0);
            s1 = hn::MulAdd(hn::Set(f, left[wide + d]), r, s1);
            s2 = hn::MulAdd(hn::Set(f, left[2 * wide + d]), r, s2);
            s3 = hn::MulAdd(hn::Set(f, left[3 * wide + d]), r, s3);
        }
        hn::StoreU(s0, f, out + j);
        hn::StoreU(s1, f, out + task.keys_padded + j);
        hn::StoreU(s2, f, out + 2 * task.keys_padded + j);
        hn::StoreU(s3, f, out + 3 * task.keys_padded + j);
    }
}

// out[group, width_padded] = left[group, keys_padded] x right[keys, width_padded]
HWY_INLINE void over_keys(const float* left, const float* right, const Task& task, float* out) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto wide = task.keys_padded;
    for (std::int64_t d = 0; d < task.width_padded; d += lanes) {
        auto s0 = hn::Zero(f), s1 = s0, s2 = s0, s3 = s0;
        for (std::int64_t j = 0; j < task.keys; ++j) {
            auto r = hn::LoadU(f, right + j * task.width_padded + d);
            s0 = hn::MulAdd(hn::Set(f, left[j]), r, s0);
            s1 = hn::MulAdd(hn::Set(f, left[wide + j]), r, s1);
            s2 = hn::MulAdd(hn::Set(f, left[2 * wide + j]), r, s2);
            s3 = hn::MulAdd(hn::Set(f, left[3 * wide + j]), r, s3);
        }
        hn::StoreU(s0, f, out + d);
        hn::StoreU(s1, f, out + task.width_padded + d);
        hn::StoreU(s2, f, out + 2 * task.width_padded + d);
        hn::StoreU(s3, f, out + 3 * task.width_padded + d);
    }
}

// out[keys, width_padded] += transposed(left[group, keys_padded]) x right[group, width_padded]
HWY_INLINE void onto_keys(const float* left, const float* right, const Task& task, float* out) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto wide = task.keys_padded;
    for (std::int64_t d = 0; d < task.width_padded; d += lanes) {
        auto r0 = hn::LoadU(f, right + d), r1 = hn::LoadU(f, right + task.width_padded + d);
        auto r2 = hn::LoadU(f, right + 2 * task.width_padded + d), r3 = hn::LoadU(f, right + 3 * task.width_padded + d);
        for (std::int64_t j = 0; j < task.keys; ++j) {
            float* place = out + j * task.width_padded + d;
            auto sum = hn::MulAdd(hn::Set(f, left[j]), r0, hn::LoadU(f, place));
            auto other = hn::Mul(hn::Set(f, left[wide + j]), r1);
            sum = hn::MulAdd(hn::Set(f, left[2 * wide + j]), r2, sum);
            other = hn::MulAdd(hn::Set(f, left[3 * wide + j]), r3, other);
            hn::StoreU(hn::Add(sum, other), f, place);
        }
    }
}

// Scores of one query become its weights; returns the log-sum-exp. Places beyond the keys become zero.
HWY_INLINE float softmax(float* scores, const Task& task, float scale) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    for (std::int64_t j = task.keys; j < task.keys_padded; ++j) scores[j] = -1e30f;
    auto most = hn::Set(f, -1e30f);
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes) most = hn::Max(most, hn::LoadU(f, scores + j));
    float peak = hn::GetLane(hn::MaxOfLanes(f, most)) * scale;
    auto sum = hn::Zero(f);
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes) {
        auto shifted = hn::MulSub(hn::LoadU(f, scores + j), hn::Set(f, scale), hn::Set(f, peak));
        auto weight = hn::Exp(f, hn::Max(shifted, hn::Set(f, -100.0f)));
        hn::StoreU(weight, f, scores + j);
        sum = hn::Add(sum, weight);
    }
    for (std::int64_t j = task.keys; j < task.keys_padded; ++j) scores[j] = 0;
    float total = hn::GetLane(hn::SumOfLanes(f, sum));
    auto inverse = hn::Set(f, 1.0f / total);
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes)
        hn::StoreU(hn::Mul(hn::LoadU(f, scores + j), inverse), f, scores + j);
    return peak + std::log(total);
}

// The weights again, from the log-sum-exp; then the gradient of the scores from that of the weights:
// ds = w (dw - sum(w dw)) scale.
HWY_INLINE void softmax_backward(float* scores, float* slopes, const Task& task, float scale, float log_sum) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    auto sum = hn::Zero(f);
    for (std::int64_t j = task.keys; j < task.keys_padded; ++j) scores[j] = -1e30f;
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes) {
        auto shifted = hn::MulSub(hn::LoadU(f, scores + j), hn::Set(f, scale), hn::Set(f, log_sum));
        auto weight = hn::Exp(f, hn::Max(shifted, hn::Set(f, -100.0f)));
        hn::StoreU(weight, f, scores + j);
        sum = hn::MulAdd(weight, hn::LoadU(f, slopes + j), sum);
    }
    auto mean = hn::Set(f, hn::GetLane(hn::SumOfLanes(f, sum)));
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes) {
        auto slope = hn::Mul(hn::Sub(hn::LoadU(f, slopes + j), mean), hn::Set(f, scale));
        hn::StoreU(hn::Mul(hn::LoadU(f, scores + j), slope), f, slopes + j);
    }
}

// A thread's tables; they grow to the longest row met.
struct Tables {
    std::vector<float> queries, keys, keys_transposed, values, values_transposed, gradient;
    std::vector<float> scores, slopes, result, dkeys, dvalues;
};

HWY_INLINE float* room(std::vector<float>& table, std::int64_t size) {
    if (static_cast<std::int64_t>(table.size()) < size) table.resize(static_cast<std::size_t>(size));
    return table.data();
}

void forward_task(const AttentionRows& rows, const AttentionInputs& inputs, Matrix<Bf16> result, float* log_sums,
                  std::int64_t row, std::int64_t head) {
    static thread_local Tables tables;
    const auto task = make_task(rows, row, head);
    float* queries = room(tables.queries, task.queries_padded * task.width_padded);
    float* keys = room(tables.keys, task.keys * task.width_padded);
    float* transposed = room(tables.keys_transposed, task.width * task.keys_padded);
    float* values = room(tables.values, task.keys * task.width_padded);
    float* scores = room(tables.scores, group * task.keys_padded);
    float* out = room(tables.result, task.queries_padded * task.width_padded);
    unpack(inputs.queries, task.first_query, task.queries, task, task.queries_padded, queries);
    unpack(inputs.keys, task.first, task.keys, task, task.keys, keys);
    unpack(inputs.values, task.first, task.keys, task, task.keys, values);
    transpose(keys, task, transposed);
    for (std::int64_t i = 0; i < task.queries_padded; i += group) {
        against_keys(queries + i * task.width_padded, transposed, task, scores);
        for (std::int64_t g = 0; g < group; ++g) {
            float log_sum = softmax(scores + g * task.keys_padded, task, rows.scale);
            if (i + g < task.queries) log_sums[(task.first_query + i + g) * rows.heads + head] = log_sum;
        }
        over_keys(scores, values, task, out + i * task.width_padded);
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
    float* values = room(tables.values, task.keys * wide);
    float* values_transposed = room(tables.values_transposed, task.width * task.keys_padded);
    float* upstream = room(tables.gradient, task.queries_padded * wide);
    float* scores = room(tables.scores, group * task.keys_padded);
    float* slopes = room(tables.slopes, group * task.keys_padded);
    float* dqueries = room(tables.result, task.queries_padded * wide);
    float* dkeys = room(tables.dkeys, task.keys * wide);
    float* dvalues = room(tables.dvalues, task.keys * wide);
    unpack(inputs.queries, task.first_query, task.queries, task, task.queries_padded, queries);
    unpack(gradient, task.first_query, task.queries, task, task.queries_padded, upstream);
    unpack(inputs.keys, task.first, task.keys, task, task.keys, keys);
    unpack(inputs.values, task.first, task.keys, task, task.keys, values);
    transpose(keys, task, keys_transposed);
    transpose(values, task, values_transposed);
    std::fill(dkeys, dkeys + task.keys * wide, 0.0f);
    std::fill(dvalues, dvalues + task.keys * wide, 0.0f);
    for (std::int64_t i = 0; i < task.queries_padded; i += group) {
        against_keys(queries + i * wide, keys_transposed, task, scores);
        against_keys(upstream + i * wide, values_transposed, task, slopes);
        for (std::int64_t g = 0; g < group; ++g) {
            bool real = i + g < task.queries;  // a padding query has gradient zero, so its weights do not matter
            float log_sum = real ? log_sums[(task.first_query + i + g) * rows.heads + head] : 0.0f;
            softmax_backward(scores + g * task.keys_padded, slopes + g * task.keys_padded, task, rows.scale, log_sum);
        }
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
void attention_forward(const AttentionRows& rows, const AttentionInputs& inputs, Matrix<Bf16> result,
                       float* log_sums) {
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
