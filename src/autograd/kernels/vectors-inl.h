// Loads and stores of bfloat16 rows as fp32 vectors, for whichever instructions the including file is compiled for
// (Highway's foreach_target). No include guard by design of that scheme: the guard toggles per target.
#if defined(ROOTSTOCK_AUTOGRAD_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ROOTSTOCK_AUTOGRAD_VECTORS_INL
#undef ROOTSTOCK_AUTOGRAD_VECTORS_INL
#else
#define ROOTSTOCK_AUTOGRAD_VECTORS_INL
#endif

#include <hwy/highway.h>

#include "autograd/kernels/matrix.h"

HWY_BEFORE_NAMESPACE();
namespace rootstock {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that rows padded to 16 suit every machine.
using Floats = hn::CappedTag<float, 16>;
using Words = hn::RebindToUnsigned<Floats>;
using Halves = hn::Rebind<std::uint16_t, Floats>;
using FloatVector = hn::Vec<Floats>;

HWY_INLINE FloatVector load_bf16(const Bf16* from) {
    auto wide = hn::PromoteTo(Words(), hn::LoadU(Halves(), from));
    return hn::BitCast(Floats(), hn::ShiftLeft<16>(wide));
}

HWY_INLINE void store_bf16(FloatVector value, Bf16* to) {
    const Words words;
    auto bits = hn::BitCast(words, value);
    auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1));
    auto rounded = hn::Add(hn::Add(bits, hn::Set(words, 0x7FFF)), odd);
    hn::StoreU(hn::TruncateTo(Halves(), hn::ShiftRight<16>(rounded)), Halves(), to);
}

}  // namespace HWY_NAMESPACE
}  // namespace rootstock
HWY_AFTER_NAMESPACE();

#endif
