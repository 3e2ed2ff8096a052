#pragma once
// What is asked of the inference thread, and what comes back.

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/base.h"
#include "native/native.h"

namespace rootstock {

class TableModel;

enum class InferKind {
    logits,     // of the adapter's head: [classes]
    embedding,  // [width]
    head        // of the model's own head: [classes]; of every token [tokens x classes], or [tokens x 2] for spans
};

struct InferRequest {
    TenantId tenant{};  // whose share of the machine it uses; empty: the house
    InferKind kind = InferKind::logits;
    std::shared_ptr<const NativeAdapter> adapter{};  // logits: required, with a head; others: may be null
    std::vector<std::vector<std::int32_t>> rows{};   // token ids, special tokens included; at least one row
    std::vector<std::vector<std::int32_t>> types{};  // token types, as many per row as ids; empty: all 0
    // Instead of rows, for a model that sees: as its PictureReader makes them, [channels, side, side].
    std::vector<std::vector<float>> pictures{};
    // Instead of rows, of a table: as `table` encoded them, which is the model that answers. Kind: head.
    ColumnBatch cells{};
    std::shared_ptr<TableModel> table{};
    std::size_t row_tokens = 0;  // what a picture, or a table's row, counts for; the scheduler sets it
    double deadline = 0;         // monotonic_seconds; rows that have not begun by then are dropped
                                 // (overloaded); 0: none
    int weight = 1;              // share of the machine against other tenants

    std::size_t count() const { return rows.size() + pictures.size() + static_cast<std::size_t>(cells.rows); }
    std::size_t length(std::size_t row) const { return rows.empty() ? row_tokens : rows[row].size(); }

    // Rows of requests that are alike in this go in one batch.
    std::pair<InferKind, const TableModel*> run() const { return {kind, table.get()}; }
};

// Tokens that the executor makes of one picture: its patches and the special ones.
inline std::size_t picture_tokens(const TransformerSpec& spec) {
    return static_cast<std::size_t>(spec.patches.count() + spec.patches.specials());
}

struct InferAnswer {
    std::vector<std::vector<float>> rows;  // what the kind says, in the request's order
    std::int64_t tokens = 0;               // of all rows
    std::int64_t compute_micros = 0;       // this request's part of its batches' time; parts of a batch add up to it
};

using InferDone = std::move_only_function<void(Result<InferAnswer>)>;
using InferTicket = std::uint64_t;

}  // namespace rootstock
