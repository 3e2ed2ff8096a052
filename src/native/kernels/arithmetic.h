#pragma once
// The two arithmetics as types, so that attention and low-rank products are written once.

#include <cstring>

#include "native/kernels/bf16.h"
#include "native/kernels/cpu.h"
#include "native/kernels/fp32.h"
#include "native/kernels/tiles.h"

namespace rootstock {

struct Fp32Ops {
    using Number = fp32::Number;
    using Packed = fp32::Packed;
    static constexpr int kRowsPerWord = 1;
    static void from_floats(const float* values, std::size_t count, float* out) {
        std::memcpy(out, values, count * sizeof(float));
    }
    static constexpr auto pack_columns = fp32::pack_columns;
    static constexpr auto pack_rows = fp32::pack_rows;
    static constexpr auto softmax = fp32::softmax;
    // No tiles for these numbers.
    template <typename... Arguments>
    static bool deep_product(Arguments...) {
        return false;
    }
    template <typename... Arguments>
    static bool wide_product(Arguments...) {
        return false;
    }
    template <typename... Arguments>
    static void product(Arguments... arguments) {
        fp32::product(arguments...);
    }
};

#if defined(__x86_64__)

struct Bf16Ops {
    using Number = bf16::Number;
    using Packed = bf16::Packed;
    static constexpr int kRowsPerWord = 2;
    static constexpr auto from_floats = bf16::from_floats;
    static constexpr auto pack_columns = bf16::pack_columns;
    static constexpr auto pack_rows = bf16::pack_rows;
    static constexpr auto softmax = bf16::softmax;
    // Products on tiles; false, and nothing done, where the machine has none or the shape does not fit them.
    static bool deep_product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Number* c,
                             std::size_t c_stride, int m, int n, int pairs) {
        if (pairs % tiles::kPairs != 0 || !cpu_has_tiles()) return false;
        tiles::deep_product(a, a_stride, b, b_stride, c, c_stride, m, n, pairs);
        return true;
    }
    template <typename Out>
    static bool wide_product(const Number* a, std::size_t a_stride, const Packed* b, std::size_t b_stride, Out* c,
                             std::size_t c_stride, int m, int n, int pairs) {
        if (n % tiles::kColumns != 0 || pairs > tiles::kPairs || !cpu_has_tiles()) return false;
        tiles::wide_product(a, a_stride, b, b_stride, c, c_stride, m, n, pairs);
        return true;
    }
    template <typename... Arguments>
    static void product(Arguments... arguments) {
        bf16::product(arguments...);
    }
};

#else

using Bf16Ops = Fp32Ops;  // never chosen: without cpu_has_bf16() a model runs in fp32

#endif

}  // namespace rootstock
