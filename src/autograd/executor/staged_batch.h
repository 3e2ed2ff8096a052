#pragma once
// A packed batch as tensors on the device.

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/executor/placement.h"
#include "autograd/ops/row_groups.h"
#include "data/data.h"
#include "model/model.h"

namespace rootstock {

struct StagedBatch {
    std::int64_t rows = 0;
    std::int64_t tokens = 0;
    std::int64_t places = 0;             // tokens, rounded up where the kernels like it; the rest belongs to no row
    std::vector<std::int32_t> offsets;   // [rows + 1]
    std::vector<std::int32_t> ordinals;  // [rows + 1]: 0, 1, 2, ...: the offsets when each row has a single query

    torch::Tensor ids, positions, type_ids;  // int64 [places]; of images ids and type_ids are undefined
    torch::Tensor patches;                   // fp32 [rows * patches, numbers of a patch]; of images only
    bool of_columns = false;
    torch::Tensor numbers;     // fp32 [rows, numbers]; of a table's columns only, as the next two
    torch::Tensor missing;     // fp32 [rows, numbers]; 1 where a number is missing
    torch::Tensor categories;  // int64 [rows, categories]
    torch::Tensor picked;      // int64 [rows]: the token of each row whose state a sequence head reads
    torch::Tensor row_of;      // int64 [tokens]
    torch::Tensor lengths;     // fp32 [rows]

    // Rows as the torch route's attention takes them: all queries, and the picked tokens' alone.
    RowGroups all_rows, picked_rows;

    // What a decoder beside the encoder reads, and how its rows attend to this batch's.
    std::shared_ptr<const StagedBatch> decoder;
    RowGroups cross_rows;
};

// invalid_argument: an empty batch or row, or an id outside the vocabulary; too_long: a row beyond the model's
// positions. A model with a decoder reads each row shifted by one there, behind the spec's start_id.
Result<StagedBatch> stage_batch(const PackedBatch& batch, const TransformerSpec& spec, const Placement& placement);

// For a model with a decoder: `decoder` holds as many rows as `batch`. invalid_argument: it does not, or the model has
// no decoder; and as above.
Result<StagedBatch> stage_batch(const PackedBatch& batch, const PackedBatch& decoder, const TransformerSpec& spec,
                                const Placement& placement);

// Images as the model's preprocessing leaves them: [images, channels, side, side]. invalid_argument: not a whole
// number of images, none, or the model reads tokens.
Result<StagedBatch> stage_images(std::span<const float> pixels, const TransformerSpec& spec,
                                 const Placement& placement);

// Rows of a table. invalid_argument: none, sizes or ids that are not the model's, or the model reads something else.
Result<StagedBatch> stage_columns(const ColumnBatch& rows, const TransformerSpec& spec, const Placement& placement);

// What a decoder is given while it learns to say `targets`: each row behind `start_id`, without its last token.
PackedBatch shifted_right(const PackedBatch& targets, int start_id);

}  // namespace rootstock
