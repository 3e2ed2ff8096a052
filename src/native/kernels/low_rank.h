#pragma once
// Low-rank updates of one linear map, for rows of one adapter: y = scale B (A x). Where several maps read the same x
// (query, key and value in one product), their A's are stacked, so that x is read once.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/model.h"
#include "native/kernels/element.h"
#include "native/kernels/memory.h"

namespace rootstock {

// The layout of packed updates. Raised whenever LowRank lays out the same pairs differently: packed copies of adapters
// (docs/formats/packed-adapter.md) of another layout are made anew.
inline constexpr std::uint32_t kLowRankLayout = 1;

// One pair and the columns of y it writes. Without a pair only its place is taken: whoever owns the arena fills it with
// what a pair of this rank once became.
struct LowRankSlice {
    const LoraPair* pair = nullptr;
    int rank = 0, out = 0;
    int out_begin = 0;
};

class LowRank {
public:
    LowRank() = default;

    // `out` is the whole width of y; slices do not overlap. Columns of no slice receive zeros. Scales go into B.
    LowRank(const std::vector<LowRankSlice>& slices, int in, int out, Element element, Arena& arena);
    static std::size_t packed_bytes(const std::vector<LowRankSlice>& slices, int in, Element element);

    bool empty() const { return parts_.empty(); }

    // x [rows, in], y [rows, out] of fp32 or the element's numbers. Overwrites y. `scratch` belongs to the thread.
    void run(const void* x, void* y, Element y_element, int rows, Workspace& scratch) const;

    // Asks for what run() will read, so that it is near when its turn comes: with a thousand adapters it never is.
    void prefetch() const;

private:
    struct Part {
        int rank_begin, rank_words, out_begin, out;
        const void* b;  // packed [rank, out]
    };
    template <typename Ops>
    void pack(const std::vector<LowRankSlice>& slices, Arena& arena);
    template <typename Ops, typename Out>
    void run_parts(const void* x, Out* y, int rows, Workspace& scratch) const;

    Element element_ = Element::fp32;
    int in_ = 0, out_ = 0, ranks_ = 0;
    bool covers_all_ = false;
    const void* a_ = nullptr;  // packed [in, ranks]
    std::vector<Part> parts_;
    const char* begin_ = nullptr;  // a_ and the parts stand behind each other from here
    std::size_t bytes_ = 0;
};

// Zeros in y [rows, out]: rows without a low-rank update in a product that adds one.
void clear_rows(void* y, Element y_element, int rows, int out);

}  // namespace rootstock
