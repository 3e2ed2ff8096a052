#pragma once
// Packed rows as dense matrices: rows of equal length stand together in a group [rows, length], so that attention is a
// few batched products without padding. On the CPU a group holds rows of exactly one length; a GPU prefers few large
// products, so there lengths are rounded up to a power of two and the places beyond a row's end are masked.

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

namespace rootstock {

struct RowGroup {
    std::int64_t rows = 0;
    std::int64_t queries = 0;    // of each row
    std::int64_t keys = 0;       // of each row
    torch::Tensor query_places;  // int64 [rows * queries] into the packed queries; undefined: they are the packed ones
    torch::Tensor key_places;    // int64 [rows * keys] into the packed keys; undefined as above
    torch::Tensor ended;         // bool [rows, 1, 1, 1, keys]: no key stands here; undefined: all rows are full
};

struct RowGroups {
    std::vector<RowGroup> groups;
    torch::Tensor order;  // int64 [queries]: where each packed query's result stands in the groups' results one after
                          // another; undefined: in the same order
};

// Whether rows of different lengths may share a group.
enum class LengthRounding { none, up };
LengthRounding rounding_for(const torch::Device& device);

// Row r has queries [query_offsets[r], query_offsets[r + 1]) and keys [key_offsets[r], key_offsets[r + 1]).
RowGroups group_rows(std::span<const std::int32_t> query_offsets, std::span<const std::int32_t> key_offsets,
                     LengthRounding rounding, const torch::Device& device);

}  // namespace rootstock
