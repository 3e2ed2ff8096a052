#include "autograd/ops/row_groups.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace rootstock {

namespace {

using Offsets = std::span<const std::int32_t>;

std::int64_t length_of(Offsets offsets, std::size_t row) { return offsets[row + 1] - offsets[row]; }

std::int64_t rounded(std::int64_t length, LengthRounding rounding) {
    if (rounding == LengthRounding::none) return length;
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(length)));
}

// Where the rows' tokens stand in the packed list, `length` a row; a shorter row repeats its last token.
std::vector<std::int64_t> places_of(Offsets offsets, const std::vector<std::size_t>& rows, std::int64_t length) {
    std::vector<std::int64_t> places;
    places.reserve(rows.size() * static_cast<std::size_t>(length));
    for (auto row : rows)
        for (std::int64_t i = 0; i < length; ++i)
            places.push_back(offsets[row] + std::min(i, length_of(offsets, row) - 1));
    return places;
}

torch::Tensor ended_keys(Offsets offsets, const std::vector<std::size_t>& rows, std::int64_t length) {
    auto ended = torch::zeros({static_cast<std::int64_t>(rows.size()), 1, 1, 1, length}, torch::kBool);
    bool any = false;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        auto own = length_of(offsets, rows[r]);
        any = any || own < length;
        if (own < length) ended[static_cast<std::int64_t>(r)].narrow(3, own, length - own).fill_(true);
    }
    return any ? ended : torch::Tensor();
}

bool counts_up(const std::vector<std::int64_t>& places) {
    for (std::size_t i = 0; i < places.size(); ++i)
        if (places[i] != static_cast<std::int64_t>(i)) return false;
    return true;
}

// Undefined when the places are 0, 1, 2, ... of all `count`: then nothing has to move.
torch::Tensor placed(const std::vector<std::int64_t>& places, std::int64_t count, const torch::Device& device) {
    if (static_cast<std::int64_t>(places.size()) == count && counts_up(places)) return {};
    return torch::tensor(places, torch::kInt64).to(device);
}

}  // namespace

LengthRounding rounding_for(const torch::Device& device) {
    return device.is_cpu() ? LengthRounding::none : LengthRounding::up;
}

RowGroups group_rows(Offsets query_offsets, Offsets key_offsets, LengthRounding rounding, const torch::Device& device) {
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::size_t>> by_lengths;
    for (std::size_t row = 0; row + 1 < query_offsets.size(); ++row)
        by_lengths[{rounded(length_of(query_offsets, row), rounding), rounded(length_of(key_offsets, row), rounding)}]
            .push_back(row);
    RowGroups result;
    std::vector<std::int64_t> order(static_cast<std::size_t>(query_offsets.back()));
    std::int64_t begin = 0;
    for (const auto& [lengths, rows] : by_lengths) {
        auto [queries, keys] = lengths;
        for (std::size_t r = 0; r < rows.size(); ++r)
            for (std::int64_t i = 0; i < length_of(query_offsets, rows[r]); ++i)
                order[static_cast<std::size_t>(query_offsets[rows[r]] + i)] =
                    begin + static_cast<std::int64_t>(r) * queries + i;
        auto ended = ended_keys(key_offsets, rows, keys);
        result.groups.push_back({static_cast<std::int64_t>(rows.size()), queries, keys,
                                 placed(places_of(query_offsets, rows, queries), query_offsets.back(), device),
                                 placed(places_of(key_offsets, rows, keys), key_offsets.back(), device),
                                 ended.defined() ? ended.to(device) : ended});
        begin += static_cast<std::int64_t>(rows.size()) * queries;
    }
    result.order = placed(order, begin, device);
    return result;
}

}  // namespace rootstock
