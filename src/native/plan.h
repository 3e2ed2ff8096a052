#pragma once
// How a batch is shared between threads.

#include <span>
#include <vector>

#include "native/native.h"

namespace rootstock {

struct Plan {
    struct Chunk {
        int begin, end;  // of `order`
        int tokens;
    };
    std::vector<int> order;  // rows, those of one adapter side by side
    std::vector<Chunk> chunks;
    bool side_by_side =
        false;              // chunks run on one thread each, all at once; otherwise one after another on all threads
    std::vector<int> load;  // scratch of make_plan: rows given to each thread
};

// Fills `plan` anew, reusing its memory. Without `may_split` no chunk is shared between threads.
void make_plan(const PackedBatch& batch, RowAdapters adapters, int threads, bool may_split, Plan& plan);

}  // namespace rootstock
