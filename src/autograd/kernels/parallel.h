#pragma once
// Rows shared out among the cores, always in the same way, so that results repeat bit for bit.

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace rootstock {

// Calls work(begin, end) on each thread with its share of [0, count).
template <typename Work>
void parallel_ranges(std::int64_t count, const Work& work) {
#pragma omp parallel
    {
        std::int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
        std::int64_t begin = count * thread / threads, end = count * (thread + 1) / threads;
        if (begin < end) work(begin, end);
    }
}

}  // namespace rootstock
