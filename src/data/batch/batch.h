#pragma once
// Batches without padding: the tokens of all rows stand in one list, and row_offsets says where each begins.
//
//   rows  [a b c] [d e]   ->   ids a b c d e    row_offsets 0 3 5
//
// Positions are implied: 0, 1, ... within each row. Rows keep their order, so that answers find their way back.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace rootstock {

struct PackedBatch {
    std::vector<std::int32_t> ids;             // [tokens]
    std::vector<std::int32_t> type_ids;        // [tokens]
    std::vector<std::int32_t> row_offsets{0};  // [rows + 1], first 0, last tokens

    std::size_t rows() const { return row_offsets.size() - 1; }
    std::size_t tokens() const { return ids.size(); }
    std::size_t row_length(std::size_t row) const {
        return static_cast<std::size_t>(row_offsets[row + 1] - row_offsets[row]);
    }

    // Appends one row; without type ids they are all 0. The batch must stay below 2^31 tokens.
    void add_row(std::span<const std::int32_t> row_ids, std::span<const std::int32_t> row_type_ids = {});

    // Closes a row whose ids were appended to `ids` directly (Tokenizer::encode_ids): no copy.
    void close_row();

    void clear();  // keeps the memory
};

PackedBatch pack(std::span<const Encoding> encodings);
PackedBatch pack(std::span<const std::vector<std::int32_t>> rows);
// The rows that `chosen` names, in its order.
PackedBatch pack(std::span<const std::vector<std::int32_t>> rows, std::span<const std::size_t> chosen);

// Batches as lists of row indices.
using BatchPlan = std::vector<std::vector<std::size_t>>;

// One epoch of training: every index of [0, examples) once, in random order, batch_examples at a time; the last
// batch holds the rest. Depends only on the arguments, so a resumed run meets the same batches.
BatchPlan plan_batches(std::size_t examples, std::size_t batch_examples, std::uint64_t seed, std::uint64_t epoch);

// For evaluation and serving: rows sorted by length, longest first, cut so that no batch holds more than `token_budget`
// tokens or `rows_max` rows (0: no such limit). A single row beyond the budget stands alone.
BatchPlan plan_by_tokens(std::span<const std::int32_t> lengths, std::size_t token_budget, std::size_t rows_max = 0);

}  // namespace rootstock
