// The steps of attention over one row and one head, for whichever instructions the including file is compiled for.
//
// A task is one row and one head. Its matrices are copied out of bfloat16 into small fp32 tables, padded with zeros to
// whole vectors and to groups of four queries, so that the inner loops have no remainders.

#if defined(ROOTSTOCK_ATTENTION_STEPS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ROOTSTOCK_ATTENTION_STEPS_INL
#undef ROOTSTOCK_ATTENTION_STEPS_INL
#else
#define ROOTSTOCK_ATTENTION_STEPS_INL
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "autograd/kernels/attention.h"
#include "autograd/kernels/vectors-inl.h"

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

// [keys, width] -> fp32 [width, keys_padded] with zeros beyond the keys. Two neighbouring columns travel as one 32-bit
// word, which halves the single moves; a vector step takes them apart.
HWY_INLINE void unpack_transposed(Matrix<const Bf16> from, const Task& task, std::uint32_t* pairs, float* to) {
    const Words words;
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    const auto wide = task.keys_padded;
    for (std::int64_t p = 0; p < task.width / 2; ++p)
        std::fill(pairs + p * wide + task.keys, pairs + (p + 1) * wide, 0u);
    for (std::int64_t j = 0; j < task.keys; ++j) {
        const Bf16* source = from.row(task.first + j) + task.column;
        for (std::int64_t p = 0; p < task.width / 2; ++p) std::memcpy(pairs + p * wide + j, source + 2 * p, 4);
    }
    for (std::int64_t p = 0; p < task.width / 2; ++p) {
        for (std::int64_t j = 0; j < wide; j += lanes) {
            auto both = hn::LoadU(words, pairs + p * wide + j);
            hn::StoreU(hn::BitCast(f, hn::ShiftLeft<16>(both)), f, to + 2 * p * wide + j);
            hn::StoreU(hn::BitCast(f, hn::And(both, hn::Set(words, 0xFFFF0000u))), f, to + (2 * p + 1) * wide + j);
        }
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

// One vector for each query of a group.
struct Four {
    FloatVector v[group];
};

HWY_INLINE FloatVector spread(const float* values, std::int64_t index) { return hn::Set(Floats(), values[index]); }

// Calls step(j, valid lanes) for each vector of keys.
template <typename Step>
HWY_INLINE void each_vector(const Task& task, const Step& step) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    for (std::int64_t j = 0; j < task.keys_padded; j += lanes)
        step(j, hn::FirstN(f, static_cast<std::size_t>(std::max<std::int64_t>(0, task.keys - j))));
}

HWY_INLINE FloatVector weight_of(FloatVector score, FloatVector scale, FloatVector shift) {
    const Floats f;
    return hn::Exp(f, hn::Max(hn::MulSub(score, scale, shift), hn::Set(f, -80.0f)));
}

// Scores of a group of queries become weights that are still to be divided by their sum. `inverse` gets 1 / sum and
// `log_sums` the log-sum-exp of each. The four run abreast, since each alone is a chain of waiting.
HWY_INLINE void softmax(float* scores, const Task& task, float scale, float* inverse, float* log_sums) {
    const Floats f;
    const auto wide = task.keys_padded;
    const auto lowest = hn::Set(f, -1e30f), scales = hn::Set(f, scale);
    Four most{{lowest, lowest, lowest, lowest}};
    each_vector(task, [&](std::int64_t j, auto valid) {
        for (std::int64_t g = 0; g < group; ++g)
            most.v[g] = hn::Max(most.v[g], hn::IfThenElse(valid, hn::LoadU(f, scores + g * wide + j), lowest));
    });
    HWY_ALIGN float peaks[16] = {}, totals[16];
    std::fill(totals, totals + 16, 1.0f);
    for (std::int64_t g = 0; g < group; ++g) peaks[g] = hn::GetLane(hn::MaxOfLanes(f, most.v[g])) * scale;
    const auto zero = hn::Zero(f);
    Four sums{{zero, zero, zero, zero}};
    each_vector(task, [&](std::int64_t j, auto valid) {
        for (std::int64_t g = 0; g < group; ++g) {
            auto weight = weight_of(hn::LoadU(f, scores + g * wide + j), scales, spread(peaks, g));
            weight = hn::IfThenElseZero(valid, weight);
            hn::StoreU(weight, f, scores + g * wide + j);
            sums.v[g] = hn::Add(sums.v[g], weight);
        }
    });
    for (std::int64_t g = 0; g < group; ++g) totals[g] = hn::GetLane(hn::SumOfLanes(f, sums.v[g]));
    const hn::CappedTag<float, group> few;
    for (std::int64_t g = 0; g < group; g += static_cast<std::int64_t>(hn::Lanes(few))) {
        auto total = hn::Load(few, totals + g);
        hn::StoreU(hn::Div(hn::Set(few, 1.0f), total), few, inverse + g);
        hn::StoreU(hn::Add(hn::Load(few, peaks + g), hn::Log(few, total)), few, log_sums + g);
    }
}

// The weights again, from the log-sum-exp; then the gradient of the scores from that of the weights:
// ds = w (dw - sum(w dw)) scale.
HWY_INLINE void softmax_backward(float* scores, float* slopes, const Task& task, float scale, const float* log_sums) {
    const Floats f;
    const auto wide = task.keys_padded;
    const auto zero = hn::Zero(f), scales = hn::Set(f, scale);
    Four sums{{zero, zero, zero, zero}};
    each_vector(task, [&](std::int64_t j, auto valid) {
        for (std::int64_t g = 0; g < group; ++g) {
            auto weight = weight_of(hn::LoadU(f, scores + g * wide + j), scales, spread(log_sums, g));
            weight = hn::IfThenElseZero(valid, weight);
            hn::StoreU(weight, f, scores + g * wide + j);
            sums.v[g] = hn::MulAdd(weight, hn::LoadU(f, slopes + g * wide + j), sums.v[g]);
        }
    });
    Four means{{zero, zero, zero, zero}};
    for (std::int64_t g = 0; g < group; ++g) means.v[g] = hn::SumOfLanes(f, sums.v[g]);
    each_vector(task, [&](std::int64_t j, auto) {
        for (std::int64_t g = 0; g < group; ++g) {
            auto slope = hn::Mul(hn::Sub(hn::LoadU(f, slopes + g * wide + j), means.v[g]), scales);
            hn::StoreU(hn::Mul(hn::LoadU(f, scores + g * wide + j), slope), f, slopes + g * wide + j);
        }
    });
}

HWY_INLINE void scale_rows(float* rows, const Task& task, const float* factors) {
    const Floats f;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
    for (std::int64_t g = 0; g < group; ++g)
        for (std::int64_t d = 0; d < task.width_padded; d += lanes) {
            float* place = rows + g * task.width_padded + d;
            hn::StoreU(hn::Mul(hn::LoadU(f, place), spread(factors, g)), f, place);
        }
}

}  // namespace HWY_NAMESPACE
}  // namespace rootstock
HWY_AFTER_NAMESPACE();

#endif
