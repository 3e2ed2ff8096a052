#include "autograd/executor/staged_batch.h"

#include <algorithm>
#include <numeric>

#include "autograd/kernels/matmul.h"

namespace rootstock {

namespace {

Result<void> check(const PackedBatch& batch, const TransformerSpec& spec) {
    if (batch.rows() == 0) return fail(ErrorCode::invalid_argument, "the batch is empty: give it at least one row");
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        auto length = batch.row_length(row);
        auto name = "row " + std::to_string(row) + " of the batch ";
        if (length == 0) return fail(ErrorCode::invalid_argument, name + "has no tokens");
        if (length > static_cast<std::size_t>(spec.positions_max))
            return fail(ErrorCode::too_long, name + "has " + std::to_string(length) + " tokens, the model takes " +
                                                 std::to_string(spec.positions_max) + ": shorten it");
    }
    for (auto id : batch.ids)
        if (id < 0 || id >= spec.vocabulary)
            return fail(ErrorCode::invalid_argument,
                        "token id " + std::to_string(id) + " is outside the model's vocabulary of " +
                            std::to_string(spec.vocabulary) + ": the tokenizer belongs to another model");
    return {};
}

torch::Tensor indices(const std::vector<std::int64_t>& values, const torch::Device& device) {
    return torch::tensor(values, torch::kInt64).to(device);
}

}  // namespace

Result<StagedBatch> stage_batch(const PackedBatch& batch, const TransformerSpec& spec, const Placement& placement) {
    ROOTSTOCK_CHECKED(check(batch, spec));
    StagedBatch staged;
    staged.rows = static_cast<std::int64_t>(batch.rows());
    staged.tokens = static_cast<std::int64_t>(batch.tokens());
    auto step = placement.kernels() ? product_rows_step : 1;
    staged.places = (staged.tokens + step - 1) / step * step;
    staged.offsets = batch.row_offsets;
    staged.ordinals.resize(batch.rows() + 1);
    std::iota(staged.ordinals.begin(), staged.ordinals.end(), 0);
    auto places = static_cast<std::size_t>(staged.places);
    std::vector<std::int64_t> ids(batch.ids.begin(), batch.ids.end()), positions(places, 0), row_of(batch.tokens());
    std::vector<std::int64_t> type_ids(batch.type_ids.begin(), batch.type_ids.end());
    std::vector<std::int64_t> first(batch.row_offsets.begin(), batch.row_offsets.end() - 1);
    std::vector<float> lengths;
    ids.resize(places, spec.pad_id);
    type_ids.resize(places, 0);
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        auto begin = static_cast<std::size_t>(batch.row_offsets[row]), length = batch.row_length(row);
        std::iota(positions.begin() + static_cast<std::ptrdiff_t>(begin),
                  positions.begin() + static_cast<std::ptrdiff_t>(begin + length), 0);
        std::fill_n(row_of.begin() + static_cast<std::ptrdiff_t>(begin), length, static_cast<std::int64_t>(row));
        lengths.push_back(static_cast<float>(length));
        staged.longest = std::max(staged.longest, static_cast<std::int64_t>(length));
    }
    staged.ids = indices(ids, placement.device);
    staged.positions = indices(positions, placement.device);
    staged.type_ids = indices(type_ids, placement.device);
    staged.first = indices(first, placement.device);
    staged.row_of = indices(row_of, placement.device);
    staged.lengths = torch::tensor(lengths, torch::kFloat32).to(placement.device);
    return staged;
}

}  // namespace rootstock
