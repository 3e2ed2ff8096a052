#pragma once
// What is asked of the inference thread, and what comes back.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/base.h"
#include "native/native.h"

namespace rootstock {

enum class InferKind { logits, embedding };

struct InferRequest {
    TenantId tenant{};  // whose share of the machine it uses; empty: the house
    InferKind kind = InferKind::logits;
    std::shared_ptr<const NativeAdapter> adapter{};  // logits: required, with a head; embedding: may be null
    std::vector<std::vector<std::int32_t>> rows{};   // token ids, special tokens included; at least one row
    double deadline = 0;                             // monotonic_seconds; rows that have not begun by then are dropped
                                                     // (overloaded); 0: none
    int weight = 1;                                  // share of the machine against other tenants
};

struct InferAnswer {
    std::vector<std::vector<float>> rows;  // logits [classes] or embedding [width], in the request's order
    std::int64_t tokens = 0;               // of all rows
    std::int64_t compute_micros = 0;       // this request's part of its batches' time; parts of a batch add up to it
};

using InferDone = std::move_only_function<void(Result<InferAnswer>)>;
using InferTicket = std::uint64_t;

}  // namespace rootstock
