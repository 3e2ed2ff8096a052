// The register tile: up to 8 rows of A against 1 or 2 vectors of B, or 4 rows against 3 or 4. Each step loads a word of
// two neighbouring numbers of A, spreads it over a vector, and multiplies it with a vector of packed pairs of B: 32
// products and sums per instruction. Eight or more sums are in flight, which hides the instruction's latency.

#include "native/kernels/bf16.h"

#include "native/kernels/cpu.h"

#if defined(__x86_64__)

// GCC 12's own header starts some results from an undefined register, and warns about itself when inlined here.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

#include <immintrin.h>

// Everything below is compiled for AVX-512 BF16, whatever the rest of the program is compiled for. It uses no inline
// function of the standard library, so that none of them is compiled with these instructions.
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")

namespace rootstock::bf16 {

namespace {

inline __m512 multiply_add(__m512 sum, __m512i a, __m512i b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }

inline __mmask16 first_lanes(int count) { return count >= 16 ? __mmask16(0xffff) : __mmask16((1u << count) - 1); }

inline void store(float* place, __mmask16 lanes, __m512 values) { _mm512_mask_storeu_ps(place, lanes, values); }
inline void store(Number* place, __mmask16 lanes, __m512 values) {
    _mm256_mask_storeu_epi16(place, lanes, (__m256i)_mm512_cvtneps_pbh(values));
}

template <typename Out>
struct Matrices {
    const Number* a;
    std::size_t a_stride;
    const Packed* b;
    std::size_t b_stride;
    Out* c;
    std::size_t c_stride;
    int pairs;
    const float* factors;
};

// One tile: ROWS x VECTORS sums; the last vector may be partly used.
template <int ROWS, int VECTORS, typename Out>
void tile(const Matrices<Out>& m, int row, int column, __mmask16 last) {
    const Number* a = m.a + static_cast<std::size_t>(row) * m.a_stride;
    const Packed* b = m.b + column;
    __m512 sums[ROWS][VECTORS];
    for (auto& line : sums)
        for (auto& sum : line) sum = _mm512_setzero_ps();
    for (int pair = 0; pair < m.pairs; ++pair, b += m.b_stride) {
        __m512i right[VECTORS];
        for (int v = 0; v < VECTORS; ++v)
            right[v] = v + 1 < VECTORS ? _mm512_loadu_si512(b + 16 * v) : _mm512_maskz_loadu_epi32(last, b + 16 * v);
        for (int r = 0; r < ROWS; ++r) {
            std::int32_t word;
            __builtin_memcpy(&word, a + static_cast<std::size_t>(r) * m.a_stride + 2 * pair, sizeof(word));
            const __m512i left = _mm512_set1_epi32(word);
            for (int v = 0; v < VECTORS; ++v) sums[r][v] = multiply_add(sums[r][v], left, right[v]);
        }
    }
    Out* c = m.c + static_cast<std::size_t>(row) * m.c_stride + column;
    for (int r = 0; r < ROWS; ++r) {
        const __m512 factor = _mm512_set1_ps(m.factors ? m.factors[row + r] : 1.0f);
        for (int v = 0; v < VECTORS; ++v)
            store(c + static_cast<std::size_t>(r) * m.c_stride + 16 * v, v + 1 < VECTORS ? __mmask16(0xffff) : last,
                  _mm512_mul_ps(sums[r][v], factor));
    }
}

// All rows of A against VECTORS vectors of columns: whole tiles, then what is left.
template <int VECTORS, typename Out>
void columns_of(const Matrices<Out>& m, int rows, int column, __mmask16 last) {
    constexpr int kRows = VECTORS <= 2 ? 8 : 4;
    int row = 0;
    for (; row + kRows <= rows; row += kRows) tile<kRows, VECTORS>(m, row, column, last);
    if constexpr (kRows == 8)
        if (row + 4 <= rows) tile<4, VECTORS>(m, row, column, last), row += 4;
    if (row + 2 <= rows) tile<2, VECTORS>(m, row, column, last), row += 2;
    if (row < rows) tile<1, VECTORS>(m, row, column, last);
}

template <typename Out>
void whole_product(const Matrices<Out>& m, int rows, int columns) {
    int column = 0;
    for (; columns - column > 64; column += 64) columns_of<4>(m, rows, column, 0xffff);
    const int left = columns - column;
    const auto last = first_lanes(left % 16 == 0 ? 16 : left % 16);
    if (left > 48)
        columns_of<4>(m, rows, column, last);
    else if (left > 32)
        columns_of<3>(m, rows, column, last);
    else if (left > 16)
        columns_of<2>(m, rows, column, last);
    else if (left > 0)
        columns_of<1>(m, rows, column, last);
}

// exp(x) for x <= 0, relative error below 3e-7: 2^n from the exponent, 2^f on [-1/2, 1/2] by its series.
inline __m512 exp_of(__m512 x) {
    const __m512 y = _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f));
    const __m512 whole = _mm512_roundscale_ps(y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512 f = _mm512_sub_ps(y, whole);
    constexpr float kSeries[] = {1.3333558e-3f, 9.6181291e-3f, 5.5504109e-2f, 2.4022651e-1f, 6.9314718e-1f, 1.0f};
    __m512 p = _mm512_set1_ps(1.5403530e-4f);
    for (const float coefficient : kSeries) p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(coefficient));
    return _mm512_scalef_ps(p, whole);
}

// Rows and columns of a 16 x 16 block of words change places.
inline void transpose(__m512i (&r)[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; ++i) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; ++i) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

inline float softmax_row(const float* scores, int columns, __m512 scale, Number* weights) {
    __m512 largest = _mm512_set1_ps(-3.4e38f);
    for (int c = 0; c < columns; c += 16)
        largest = _mm512_max_ps(largest, _mm512_mask_loadu_ps(largest, first_lanes(columns - c), scores + c));
    const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
    __m512 sum = _mm512_setzero_ps();
    for (int c = 0; c < columns; c += 16) {
        const auto lanes = first_lanes(columns - c);
        const __m512 score = _mm512_maskz_loadu_ps(lanes, scores + c);
        const __m512 weight = _mm512_maskz_mov_ps(lanes, exp_of(_mm512_mul_ps(_mm512_sub_ps(score, top), scale)));
        sum = _mm512_add_ps(sum, weight);
        store(weights + c, first_lanes((columns - c + 1) / 2 * 2), weight);
    }
    return 1.0f / _mm512_reduce_add_ps(sum);
}

}  // namespace

void from_floats(const float* values, std::size_t count, Number* out) {
    for (std::size_t i = 0; i < count; i += 16) {
        const auto lanes = first_lanes(count - i >= 16 ? 16 : static_cast<int>(count - i));
        store(out + i, lanes, _mm512_maskz_loadu_ps(lanes, values + i));
    }
}

void pack_columns(const Number* keys, std::size_t stride, int tokens, int width, Packed* out, int packed_stride) {
    for (int pair = 0; pair < width / 2; pair += 16) {
        const auto pairs = first_lanes(width / 2 - pair);
        for (int token = 0; token < packed_stride; token += 16) {
            __m512i block[16];
            for (int i = 0; i < 16; ++i)
                block[i] = token + i < tokens
                               ? _mm512_maskz_loadu_epi32(
                                     pairs, keys + static_cast<std::size_t>(token + i) * stride + 2 * pair)
                               : _mm512_setzero_si512();
            transpose(block);
            for (int i = 0; i < 16 && pair + i < width / 2; ++i)
                _mm512_storeu_si512(
                    out + static_cast<std::size_t>(pair + i) * static_cast<std::size_t>(packed_stride) + token,
                    block[i]);
        }
    }
}

void pack_rows(const Number* values, std::size_t stride, int tokens, int width, Packed* out) {
    for (int token = 0; token < tokens; token += 2, out += width) {
        const Number* even = values + static_cast<std::size_t>(token) * stride;
        for (int c = 0; c < width; c += 16) {
            const auto lanes = first_lanes(width - c);
            const auto odd_lanes = token + 1 < tokens ? lanes : __mmask16(0);
            const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, even + c));
            const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(odd_lanes, even + stride + c));
            _mm512_mask_storeu_epi32(out + c, lanes, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        }
    }
}

void product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, float* c,
             std::size_t c_stride, int m, int n, int pairs, const float* factors) {
    whole_product<float>({a, a_stride, b, b_stride, c, c_stride, pairs, factors}, m, n);
}

void product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Number* c,
             std::size_t c_stride, int m, int n, int pairs, const float* factors) {
    whole_product<Number>({a, a_stride, b, b_stride, c, c_stride, pairs, factors}, m, n);
}

void softmax(const float* scores, std::size_t stride, int rows, int columns, float scale, Number* weights,
             std::size_t weights_stride, float* inverse_sums) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (int r = 0; r < rows; ++r, scores += stride, weights += weights_stride)
        inverse_sums[r] = softmax_row(scores, columns, factor, weights);
}

}  // namespace rootstock::bf16

#pragma GCC pop_options

namespace rootstock {

bool cpu_has_bf16() {
    static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return has;
}

}  // namespace rootstock

#else

namespace rootstock {

bool cpu_has_bf16() { return false; }

}  // namespace rootstock

#endif
