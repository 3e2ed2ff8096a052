#include "autograd/executor/staged_batch.h"

#include <algorithm>
#include <numeric>

#include "autograd/kernels/matmul.h"

namespace rootstock {

namespace {

Result<void> check(const PackedBatch& batch, const TransformerSpec& spec) {
    if (spec.inputs != Inputs::tokens)
        return fail(ErrorCode::invalid_argument, "this model does not read text: give it what it was made for");
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

Result<void> check(const ColumnBatch& rows, const TransformerSpec& spec) {
    const auto& columns = spec.columns;
    if (spec.inputs != Inputs::columns)
        return fail(ErrorCode::invalid_argument, "this model does not read the rows of a table");
    if (rows.rows < 1) return fail(ErrorCode::invalid_argument, "the batch is empty: give it at least one row");
    const auto count = static_cast<std::size_t>(rows.rows), categories = columns.categories.size();
    const auto numbers = count * static_cast<std::size_t>(columns.numbers);
    if (rows.numeric.size() != numbers || rows.numeric_missing.size() != numbers ||
        rows.categories.size() != count * categories)
        return fail(ErrorCode::invalid_argument, "the rows have not the model's columns: encode them with its schema");
    for (std::size_t i = 0; i < rows.categories.size(); ++i)
        if (rows.categories[i] < 0 || rows.categories[i] >= columns.categories[i % categories])
            return fail(ErrorCode::invalid_argument,
                        "a category is outside the model's: encode the rows with its schema");
    return {};
}

torch::Tensor indices(const std::vector<std::int64_t>& values, const torch::Device& device) {
    return torch::tensor(values, torch::kInt64).to(device);
}

std::vector<std::int64_t> picked_tokens(const std::vector<std::int32_t>& offsets, Pooling pooling) {
    std::vector<std::int64_t> picked;
    for (std::size_t row = 0; row + 1 < offsets.size(); ++row)
        picked.push_back(pooling == Pooling::first ? offsets[row] : offsets[row + 1] - 1);
    return picked;
}

// Everything that follows from where rows begin.
StagedBatch stage_rows(const std::vector<std::int32_t>& offsets, const TransformerSpec& spec,
                       const Placement& placement) {
    StagedBatch staged;
    staged.rows = static_cast<std::int64_t>(offsets.size()) - 1;
    staged.tokens = offsets.back();
    auto step = placement.packed() ? product_rows_step : 1;
    staged.places = (staged.tokens + step - 1) / step * step;
    staged.offsets = offsets;
    staged.ordinals.resize(offsets.size());
    std::iota(staged.ordinals.begin(), staged.ordinals.end(), 0);
    std::vector<std::int64_t> positions(static_cast<std::size_t>(staged.places), 0);
    std::vector<std::int64_t> row_of(static_cast<std::size_t>(staged.tokens));
    std::vector<float> lengths;
    for (std::int64_t row = 0; row < staged.rows; ++row) {
        std::int64_t begin = offsets[static_cast<std::size_t>(row)];
        std::int64_t length = offsets[static_cast<std::size_t>(row) + 1] - begin;
        std::iota(positions.begin() + begin, positions.begin() + begin + length, 0);
        std::fill_n(row_of.begin() + begin, length, row);
        lengths.push_back(static_cast<float>(length));
    }
    staged.positions = indices(positions, placement.device);
    staged.picked = indices(picked_tokens(offsets, spec.pooling), placement.device);
    staged.row_of = indices(row_of, placement.device);
    staged.lengths = torch::tensor(lengths, torch::kFloat32).to(placement.device);
    if (!placement.kernels()) {
        staged.all_rows = group_rows(offsets, offsets, rounding_for(placement.device), placement.device);
        staged.picked_rows = group_rows(staged.ordinals, offsets, rounding_for(placement.device), placement.device);
    }
    return staged;
}

StagedBatch stage_tokens(const PackedBatch& batch, const TransformerSpec& spec, const Placement& placement) {
    auto staged = stage_rows(batch.row_offsets, spec, placement);
    std::vector<std::int64_t> ids(batch.ids.begin(), batch.ids.end());
    std::vector<std::int64_t> type_ids(batch.type_ids.begin(), batch.type_ids.end());
    ids.resize(static_cast<std::size_t>(staged.places), spec.pad_id);
    type_ids.resize(static_cast<std::size_t>(staged.places), 0);
    staged.ids = indices(ids, placement.device);
    staged.type_ids = indices(type_ids, placement.device);
    return staged;
}

}  // namespace

PackedBatch shifted_right(const PackedBatch& targets, int start_id) {
    PackedBatch shifted;
    for (std::size_t row = 0; row < targets.rows(); ++row) {
        auto begin = targets.ids.begin() + targets.row_offsets[row];
        std::vector<std::int32_t> ids{start_id};
        ids.insert(ids.end(), begin, begin + static_cast<std::ptrdiff_t>(targets.row_length(row)) - 1);
        shifted.add_row(ids);
    }
    return shifted;
}

Result<StagedBatch> stage_batch(const PackedBatch& batch, const TransformerSpec& spec, const Placement& placement) {
    ROOTSTOCK_CHECKED(check(batch, spec));
    if (spec.decoder_layers > 0) return stage_batch(batch, shifted_right(batch, spec.start_id), spec, placement);
    return stage_tokens(batch, spec, placement);
}

Result<StagedBatch> stage_batch(const PackedBatch& batch, const PackedBatch& decoder, const TransformerSpec& spec,
                                const Placement& placement) {
    if (spec.decoder_layers == 0)
        return fail(ErrorCode::invalid_argument, "this model has no decoder: give it one text a row");
    if (batch.rows() != decoder.rows())
        return fail(ErrorCode::invalid_argument, "the decoder got " + std::to_string(decoder.rows()) + " rows for " +
                                                     std::to_string(batch.rows()) + " of the encoder");
    ROOTSTOCK_CHECKED(check(batch, spec));
    ROOTSTOCK_CHECKED(check(decoder, spec));
    auto staged = stage_tokens(batch, spec, placement);
    staged.decoder = std::make_shared<const StagedBatch>(stage_tokens(decoder, spec, placement));
    staged.cross_rows =
        group_rows(decoder.row_offsets, batch.row_offsets, rounding_for(placement.device), placement.device);
    return staged;
}

Result<StagedBatch> stage_images(std::span<const float> pixels, const TransformerSpec& spec,
                                 const Placement& placement) {
    const auto& shape = spec.patches;
    if (spec.inputs != Inputs::patches) return fail(ErrorCode::invalid_argument, "this model does not read images");
    auto per_image = std::int64_t{shape.channels} * shape.image * shape.image;
    auto images = static_cast<std::int64_t>(pixels.size()) / per_image;
    if (images == 0 || images * per_image != static_cast<std::int64_t>(pixels.size()))
        return fail(ErrorCode::invalid_argument, "the model takes images of " + std::to_string(shape.channels) + " x " +
                                                     std::to_string(shape.image) + " x " + std::to_string(shape.image) +
                                                     " numbers: scale them first");
    std::vector<std::int32_t> offsets{0};
    for (std::int64_t i = 0; i < images; ++i) offsets.push_back(offsets.back() + shape.count() + shape.specials());
    auto staged = stage_rows(offsets, spec, placement);
    auto all = torch::from_blob(const_cast<float*>(pixels.data()), {images, shape.channels, shape.image, shape.image},
                                torch::kFloat32);
    // Pixels beyond the last whole patch of a side are left out, as a strided convolution leaves them.
    std::int64_t side = shape.per_side(), covered = side * shape.patch;
    staged.patches = all.narrow(2, 0, covered)
                         .narrow(3, 0, covered)
                         .reshape({images, shape.channels, side, shape.patch, side, shape.patch})
                         .permute({0, 2, 4, 1, 3, 5})
                         .reshape({images * shape.count(), shape.numbers()})
                         .clone()
                         .to(placement.device);
    return staged;
}

Result<StagedBatch> stage_columns(const ColumnBatch& rows, const TransformerSpec& spec, const Placement& placement) {
    ROOTSTOCK_CHECKED(check(rows, spec));
    std::vector<std::int32_t> offsets{0};
    for (std::int64_t i = 0; i < rows.rows; ++i) offsets.push_back(offsets.back() + spec.columns.tokens());
    auto staged = stage_rows(offsets, spec, placement);
    auto table = [&](const auto& values, auto type) {
        if (values.empty()) return torch::zeros({rows.rows, 0}, type);
        auto* data = const_cast<std::remove_cvref_t<decltype(values[0])>*>(values.data());
        return torch::from_blob(data, {rows.rows, static_cast<std::int64_t>(values.size()) / rows.rows}, type).clone();
    };
    staged.of_columns = true;
    staged.numbers = table(rows.numeric, torch::kFloat32).to(placement.device);
    staged.missing = table(rows.numeric_missing, torch::kUInt8).to(torch::kFloat32).to(placement.device);
    staged.categories = table(rows.categories, torch::kInt32).to(torch::kInt64).to(placement.device);
    return staged;
}

}  // namespace rootstock
