#pragma once
// The whole state of a run in one file, so that it is either there or not: checkpoint/state.safetensors, written to a
// temporary name, synced and renamed.
//
//   values, first_moment, second_moment, best_values   F32 [parameters]
//   progress                                            U8: Progress as JSON
//
// Nothing else moves: the order of an epoch follows from (seed, epoch), dropout masks from (seed, step).

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/base.h"
#include "learn/progress.h"

namespace rootstock {

struct Checkpoint {
    TrainingProgress progress;
    torch::Tensor values, first_moment, second_moment, best_values;  // fp32 on the CPU
};

Result<void> write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

// Nothing when there is none. conflict: it belongs to another job. corrupt: unreadable, or another number of
// parameters.
Result<std::optional<Checkpoint>> read_checkpoint(const std::filesystem::path& folder, const std::string& job_digest,
                                                  std::int64_t parameters);

}  // namespace rootstock
