// The deep product takes up to 32 rows and 32 columns at a time, in four tiles of sums. A tile instruction takes 16
// cycles, but its result is ready after 52: with fewer than four blocks of results the sums of neighbouring steps stand
// in tiles of their own and are added at the end.
//
//   tiles 0-3: sums      4, 5: rows of A, 32 numbers wide      6, 7: 16 packed rows of B
//
// The wide product is one step deep: 16 rows of A stay in a tile while B goes by, 16 columns at a time.

#include "native/kernels/tiles.h"

#include "native/kernels/cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")

namespace rootstock::tiles {

namespace {

using bf16::Number;
using bf16::Packed;

constexpr int kSide = 16;             // rows of a tile, and columns of sums
constexpr int kNumbers = 2 * kPairs;  // of A in a row of a tile
constexpr int kSums = kSide * kSide;  // of one tile

// What LDTILECFG reads.
struct alignas(64) Shapes {
    std::uint8_t palette = 1, start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t rows[16] = {};

    void set(int tile, int tile_rows, int bytes) {
        rows[tile] = static_cast<std::uint8_t>(tile_rows);
        row_bytes[tile] = static_cast<std::uint16_t>(bytes);
    }
};

// One block: at most 32 x 32 sums.
struct Block {
    const Number* a;
    std::size_t a_stride;
    const Packed* b;
    std::size_t b_stride;
    int pairs;

    const Number* rows(int half, int pair) const {
        return a + static_cast<std::size_t>(half * kSide) * a_stride + 2 * pair;
    }
    const Packed* columns(int half, int pair) const {
        return b + static_cast<std::size_t>(pair) * b_stride + half * kSide;
    }
    std::size_t a_bytes() const { return a_stride * sizeof(Number); }
    std::size_t b_bytes() const { return b_stride * sizeof(Packed); }
};

// Sums of tiles 0..3 by rows and columns of tiles: which of them belong together depends on how many there are.
void one_by_one(const Block& x) {
    int pair = 0;
    for (; pair + 4 * kPairs <= x.pairs; pair += 4 * kPairs) {
        _tile_loadd(4, x.rows(0, pair), x.a_bytes());
        _tile_loadd(6, x.columns(0, pair), x.b_bytes());
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(5, x.rows(0, pair + kPairs), x.a_bytes());
        _tile_loadd(7, x.columns(0, pair + kPairs), x.b_bytes());
        _tile_dpbf16ps(1, 5, 7);
        _tile_loadd(4, x.rows(0, pair + 2 * kPairs), x.a_bytes());
        _tile_loadd(6, x.columns(0, pair + 2 * kPairs), x.b_bytes());
        _tile_dpbf16ps(2, 4, 6);
        _tile_loadd(5, x.rows(0, pair + 3 * kPairs), x.a_bytes());
        _tile_loadd(7, x.columns(0, pair + 3 * kPairs), x.b_bytes());
        _tile_dpbf16ps(3, 5, 7);
    }
    for (; pair < x.pairs; pair += kPairs) {
        _tile_loadd(4, x.rows(0, pair), x.a_bytes());
        _tile_loadd(6, x.columns(0, pair), x.b_bytes());
        _tile_dpbf16ps(0, 4, 6);
    }
}

void one_by_two(const Block& x) {
    int pair = 0;
    for (; pair + 2 * kPairs <= x.pairs; pair += 2 * kPairs) {
        _tile_loadd(4, x.rows(0, pair), x.a_bytes());
        _tile_loadd(6, x.columns(0, pair), x.b_bytes());
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, x.columns(1, pair), x.b_bytes());
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x.rows(0, pair + kPairs), x.a_bytes());
        _tile_loadd(6, x.columns(0, pair + kPairs), x.b_bytes());
        _tile_dpbf16ps(2, 5, 6);
        _tile_loadd(7, x.columns(1, pair + kPairs), x.b_bytes());
        _tile_dpbf16ps(3, 5, 7);
    }
    if (pair == x.pairs) return;
    _tile_loadd(4, x.rows(0, pair), x.a_bytes());
    _tile_loadd(6, x.columns(0, pair), x.b_bytes());
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, x.columns(1, pair), x.b_bytes());
    _tile_dpbf16ps(1, 4, 7);
}

// Two tiles of rows against one of columns; tiles 0 and 2 are the first rows', 1 and 3 the second's.
void two_by_one(const Block& x) {
    int pair = 0;
    for (; pair + 2 * kPairs <= x.pairs; pair += 2 * kPairs) {
        _tile_loadd(6, x.columns(0, pair), x.b_bytes());
        _tile_loadd(4, x.rows(0, pair), x.a_bytes());
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(5, x.rows(1, pair), x.a_bytes());
        _tile_dpbf16ps(1, 5, 6);
        _tile_loadd(7, x.columns(0, pair + kPairs), x.b_bytes());
        _tile_loadd(4, x.rows(0, pair + kPairs), x.a_bytes());
        _tile_dpbf16ps(2, 4, 7);
        _tile_loadd(5, x.rows(1, pair + kPairs), x.a_bytes());
        _tile_dpbf16ps(3, 5, 7);
    }
    if (pair == x.pairs) return;
    _tile_loadd(6, x.columns(0, pair), x.b_bytes());
    _tile_loadd(4, x.rows(0, pair), x.a_bytes());
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, x.rows(1, pair), x.a_bytes());
    _tile_dpbf16ps(1, 5, 6);
}

void two_by_two(const Block& x) {
    for (int pair = 0; pair < x.pairs; pair += kPairs) {
        _tile_loadd(4, x.rows(0, pair), x.a_bytes());
        _tile_loadd(6, x.columns(0, pair), x.b_bytes());
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, x.columns(1, pair), x.b_bytes());
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x.rows(1, pair), x.a_bytes());
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

// Stored sums of `parts` tiles (each `step` tiles after the one before) added up, as numbers into C.
void put(const float* sums, int parts, int step, int rows, int columns, Number* c, std::size_t c_stride) {
    const auto lanes = static_cast<__mmask16>((1u << columns) - 1);
    for (int r = 0; r < rows; ++r) {
        __m512 sum = _mm512_load_ps(sums + r * kSide);
        for (int part = 1; part < parts; ++part)
            sum = _mm512_add_ps(sum, _mm512_load_ps(sums + part * step * kSums + r * kSide));
        _mm256_mask_storeu_epi16(c + static_cast<std::size_t>(r) * c_stride, lanes, (__m256i)_mm512_cvtneps_pbh(sum));
    }
}

void block(const Block& x, int m, int n, Number* c, std::size_t c_stride) {
    const int rows[] = {m < kSide ? m : kSide, m - kSide}, columns[] = {n < kSide ? n : kSide, n - kSide};
    const int down = m > kSide ? 2 : 1, across = n > kSide ? 2 : 1;
    // The place of each sum tile: (row of tiles, column of tiles).
    Shapes shapes;
    for (int tile = 0; tile < 4; ++tile) {
        const int row = down == 2 ? (across == 2 ? tile / 2 : tile % 2) : 0, column = across == 2 ? tile % 2 : 0;
        shapes.set(tile, rows[row], columns[column] * 4);
    }
    for (int half = 0; half < 2; ++half) {
        shapes.set(4 + half, rows[down == 2 ? half : 0], kNumbers * 2);
        shapes.set(6 + half, kPairs, columns[across == 2 ? half : 0] * 4);
    }
    _tile_loadconfig(&shapes);
    if (down == 1)
        across == 1 ? one_by_one(x) : one_by_two(x);
    else
        across == 1 ? two_by_one(x) : two_by_two(x);
    alignas(64) float sums[4 * kSums];
    constexpr int kLine = kSide * sizeof(float);
    _tile_stored(0, sums, kLine);
    _tile_stored(1, sums + kSums, kLine);
    _tile_stored(2, sums + 2 * kSums, kLine);
    _tile_stored(3, sums + 3 * kSums, kLine);
    const int blocks = down * across, parts = 4 / blocks;
    for (int i = 0; i < blocks; ++i) {
        const int row = down == 2 ? (across == 2 ? i / 2 : i) : 0, column = across == 2 ? i % 2 : 0;
        put(sums + i * kSums, parts, blocks, rows[row], columns[column],
            c + static_cast<std::size_t>(row * kSide) * c_stride + column * kSide, c_stride);
    }
}

// Stored sums of 16 columns each, as they are or rounded, into up to 64 columns of C.
inline void put_wide(const float* sums, int rows, int columns, Number* c, std::size_t c_stride) {
    for (int r = 0; r < rows; ++r, c += c_stride)
        for (int column = 0; column < columns; column += kSide)
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + column),
                                (__m256i)_mm512_cvtneps_pbh(_mm512_load_ps(sums + column / kSide * kSums + r * kSide)));
}

// Four tiles of sums: 16 rows against 64 columns, or what is left of them.
template <typename Out>
void wide_block(const Packed* b, std::size_t b_bytes, Out* c, std::size_t c_stride, int rows, int columns) {
    constexpr bool whole = sizeof(Out) == sizeof(float);
    alignas(64) float sums[whole ? 1 : 4 * kSums];
    auto* at = whole ? reinterpret_cast<float*>(c) : sums;
    const std::size_t line = whole ? c_stride * sizeof(float) : kSide * sizeof(float), step = whole ? kSide : kSums;
    _tile_zero(0);
    _tile_loadd(6, b, b_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if (columns > kSide) {
        _tile_zero(1);
        _tile_loadd(7, b + kSide, b_bytes);
        _tile_dpbf16ps(1, 4, 7);
    }
    if (columns > 2 * kSide) {
        _tile_zero(2);
        _tile_loadd(6, b + 2 * kSide, b_bytes);
        _tile_dpbf16ps(2, 4, 6);
    }
    if (columns > 3 * kSide) {
        _tile_zero(3);
        _tile_loadd(7, b + 3 * kSide, b_bytes);
        _tile_dpbf16ps(3, 4, 7);
    }
    _tile_stored(0, at, line);
    if (columns > kSide) _tile_stored(1, at + step, line);
    if (columns > 2 * kSide) _tile_stored(2, at + 2 * step, line);
    if (columns > 3 * kSide) _tile_stored(3, at + 3 * step, line);
    if constexpr (!whole) put_wide(sums, rows, columns, c, c_stride);
}

template <typename Out>
void wide(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Out* c, std::size_t c_stride,
          int m, int n, int pairs) {
    constexpr int kAcross = 4 * kSide;
    int shaped = 0;
    for (int row = 0; row < m; row += kSide, a += kSide * a_stride, c += kSide * c_stride) {
        const int rows = m - row < kSide ? m - row : kSide;
        if (rows != shaped) {
            Shapes shapes;
            for (int tile = 0; tile < 4; ++tile) shapes.set(tile, rows, kSide * 4);
            shapes.set(4, rows, pairs * 4);
            for (int tile = 6; tile < 8; ++tile) shapes.set(tile, pairs, kSide * 4);
            _tile_loadconfig(&shapes);
            shaped = rows;
        }
        _tile_loadd(4, a, a_stride * sizeof(Number));
        for (int column = 0; column < n; column += kAcross)
            wide_block(b + column, b_stride * sizeof(Packed), c + column, c_stride, rows,
                       n - column < kAcross ? n - column : kAcross);
    }
    _tile_release();
}

}  // namespace

void deep_product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Number* c,
                  std::size_t c_stride, int m, int n, int pairs) {
    constexpr int kBlock = 2 * kSide;
    for (int row = 0; row < m; row += kBlock)
        for (int column = 0; column < n; column += kBlock)
            block({a + static_cast<std::size_t>(row) * a_stride, a_stride, b + column, b_stride, pairs},
                  m - row < kBlock ? m - row : kBlock, n - column < kBlock ? n - column : kBlock,
                  c + static_cast<std::size_t>(row) * c_stride + column, c_stride);
    _tile_release();
}

void wide_product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, float* c,
                  std::size_t c_stride, int m, int n, int pairs) {
    wide(a, a_stride, b, b_stride, c, c_stride, m, n, pairs);
}

void wide_product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Number* c,
                  std::size_t c_stride, int m, int n, int pairs) {
    wide(a, a_stride, b, b_stride, c, c_stride, m, n, pairs);
}

}  // namespace rootstock::tiles

#pragma GCC pop_options

namespace rootstock {

// The kernel hands out the tiles' registers only to a process that asks for them.
bool cpu_has_tiles() {
    static const bool has = [] {
        constexpr long kAskForState = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XTILEDATA
        unsigned a = 7, b = 0, c = 0, d = 0;
        asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        const bool tiles = (d >> 24 & 1) && (d >> 22 & 1);  // AMX-TILE, AMX-BF16
        return cpu_has_bf16() && tiles && ::syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
    }();
    return has;
}

}  // namespace rootstock

#else

namespace rootstock {

bool cpu_has_tiles() { return false; }

}  // namespace rootstock

#endif
