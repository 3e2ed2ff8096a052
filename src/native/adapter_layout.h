#pragma once
// In which order the updates of an adapter stand in its memory; private to native/.

#include <memory>
#include <string>
#include <vector>

#include "native/parts.h"

namespace rootstock {

// What stands at one module's place: a pair, or nothing (rank 0), or a pair that is in the memory already (no `pair`).
struct AdapterPiece {
    int rank = 0;
    const LoraPair* pair = nullptr;
};

// The modules of a model in that order, those of maps it does not have included.
std::vector<std::string> adapter_modules(const TransformerSpec& spec);

// Parts of the model's sizes with a place for each piece, one per module; pairs are packed into theirs.
std::unique_ptr<NativeAdapter::Parts> lay_out_adapter(const NativeModel& model, const std::vector<AdapterPiece>& pieces,
                                                      Filled filled);

// adapter_misfit: the head is not one of the model's classifiers.
Result<void> check_head(const Head& head, const TransformerSpec& spec);

// The memory that those pieces take.
std::size_t adapter_bytes(const NativeModel& model, const std::vector<AdapterPiece>& pieces);

}  // namespace rootstock
