#include "native/plan.h"

#include <algorithm>

#include "native/kernels/linear.h"

namespace rootstock {

namespace {

constexpr int kChunkTokens = 128;      // activations of so many tokens stay in a core's second-level cache
constexpr int kWideTokens = 512;       // a pass on all threads takes up to so many
constexpr double kSharingCost = 1.15;  // of splitting every product between threads, against splitting the rows

int length(const PackedBatch& batch, int row) {
    return static_cast<int>(batch.row_length(static_cast<std::size_t>(row)));
}

void order_rows(const PackedBatch& batch, RowAdapters adapters, std::vector<int>& order) {
    order.resize(batch.rows());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    const auto adapter = [&](int row) { return adapters[static_cast<std::size_t>(row)]; };
    const auto before = [&](int a, int b) {
        return std::less<>()(adapter(a), adapter(b)) || (adapter(a) == adapter(b) && a < b);
    };
    if (!adapters.empty()) std::ranges::sort(order, before);
}

// Rows in order, cut so that a chunk stays within `budget` tokens; a longer row stands alone.
void cut(const PackedBatch& batch, int budget, Plan& plan) {
    plan.chunks.clear();
    for (int i = 0; i < static_cast<int>(plan.order.size()); ++i) {
        const int tokens = length(batch, plan.order[static_cast<std::size_t>(i)]);
        if (plan.chunks.empty() || plan.chunks.back().tokens + tokens > budget) plan.chunks.push_back({i, i, 0});
        plan.chunks.back().end = i + 1;
        plan.chunks.back().tokens += tokens;
    }
}

// An even share per chunk, in whole rows of 16 tokens so that products round nothing up.
int even_budget(int tokens, int threads) {
    const int rounds = std::max(1, (tokens + threads * kChunkTokens - 1) / (threads * kChunkTokens));
    const int share = (tokens + threads * rounds - 1) / (threads * rounds);
    return std::min(kChunkTokens, round_up(share, 16));
}

// Time of the busiest thread, in rows of products, when each idle thread takes the next chunk.
int busiest(const Plan& plan, int threads, std::vector<int>& load) {
    load.assign(static_cast<std::size_t>(threads), 0);
    for (const auto& chunk : plan.chunks) *std::ranges::min_element(load) += rounded_rows(chunk.tokens);
    return *std::ranges::max_element(load);
}

double together(const Plan& plan, int threads) {
    double rows = 0;
    for (const auto& chunk : plan.chunks) rows += rounded_rows(chunk.tokens);
    return kSharingCost * rows / threads;
}

}  // namespace

void make_plan(const PackedBatch& batch, RowAdapters adapters, int threads, bool may_split, Plan& plan) {
    order_rows(batch, adapters, plan.order);
    const int even = even_budget(static_cast<int>(batch.tokens()), threads);
    plan.side_by_side = true;
    if (may_split && threads > 1) {
        cut(batch, even, plan);
        const int apart = busiest(plan, threads, plan.load);
        cut(batch, kWideTokens, plan);
        plan.side_by_side = together(plan, threads) >= apart;
    }
    if (plan.side_by_side) cut(batch, even, plan);
}

}  // namespace rootstock
