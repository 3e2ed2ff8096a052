#include "data/batch/batch.h"

#include <algorithm>
#include <numeric>

namespace rootstock {
namespace {

constexpr std::size_t tokens_max = INT32_MAX;

std::vector<std::size_t> counting_from_zero(std::size_t count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    return order;
}

}  // namespace

void PackedBatch::add_row(std::span<const std::int32_t> row_ids, std::span<const std::int32_t> row_type_ids) {
    ROOTSTOCK_CHECK(row_type_ids.empty() || row_type_ids.size() == row_ids.size(), "a type id for every token");
    ids.insert(ids.end(), row_ids.begin(), row_ids.end());
    type_ids.insert(type_ids.end(), row_type_ids.begin(), row_type_ids.end());
    close_row();
}

void PackedBatch::close_row() {
    ROOTSTOCK_CHECK(ids.size() <= tokens_max, "a batch stays below 2^31 tokens");
    type_ids.resize(ids.size(), 0);
    row_offsets.push_back(static_cast<std::int32_t>(ids.size()));
}

void PackedBatch::clear() {
    ids.clear();
    type_ids.clear();
    row_offsets.assign(1, 0);
}

PackedBatch pack(std::span<const Encoding> encodings) {
    PackedBatch batch;
    for (const auto& encoding : encodings) batch.add_row(encoding.ids, encoding.type_ids);
    return batch;
}

PackedBatch pack(std::span<const std::vector<std::int32_t>> rows) {
    PackedBatch batch;
    for (const auto& row : rows) batch.add_row(row);
    return batch;
}

PackedBatch pack(std::span<const std::vector<std::int32_t>> rows, std::span<const std::size_t> chosen) {
    PackedBatch batch;
    for (auto row : chosen) batch.add_row(rows[row]);
    return batch;
}

BatchPlan plan_batches(std::size_t examples, std::size_t batch_examples, std::uint64_t seed, std::uint64_t epoch) {
    ROOTSTOCK_CHECK(batch_examples > 0, "a batch holds at least one example");
    auto order = counting_from_zero(examples);
    SeededRandom base(seed);
    SeededRandom random(base.next() + epoch);  // every epoch its own stream, whatever came before it
    random.shuffle(order);
    BatchPlan plan;
    for (std::size_t begin = 0; begin < examples; begin += batch_examples) {
        auto end = std::min(begin + batch_examples, examples);
        plan.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(begin),
                          order.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return plan;
}

BatchPlan plan_by_tokens(std::span<const std::int32_t> lengths, std::size_t token_budget, std::size_t rows_max) {
    auto order = counting_from_zero(lengths.size());
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t row) { return lengths[row]; });
    BatchPlan plan;
    std::size_t tokens = 0;
    for (auto row : order) {
        auto length = static_cast<std::size_t>(lengths[row]);
        bool full = plan.empty() || tokens + length > token_budget || (rows_max > 0 && plan.back().size() == rows_max);
        if (full) plan.emplace_back(), tokens = 0;
        plan.back().push_back(row);
        tokens += length;
    }
    return plan;
}

}  // namespace rootstock
