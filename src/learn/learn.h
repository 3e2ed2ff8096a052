#pragma once
// learn: rootstock-learn, the program that turns a job folder (base/job.h) into an adapter. It knows no database,
// tenant or price. Other programs meet it through the folder and its events; this face is for its own main() and tests.
//
//   job.json, train.jsonl, base --> a Learner of the task (learner.h): rows tokenised once, seeded split, model
//     --> the loop (trainer.cpp) --> best weights --> adapter/ with self-tests
//
// A run killed at any moment and started again ends with bit-identical weights on the same machine and thread count:
// everything that moves is in the checkpoint, everything random is a function of (seed, epoch, step).

#include <filesystem>

#include "base/base.h"

namespace rootstock {

// Exit codes of rootstock-learn.
enum class LearnExit : int {
    done = 0,
    callers_fault = 1,  // an `error` event tells what to mend
    our_fault = 2,      // likewise, and it is not the caller's to mend
    interrupted = 3,    // SIGTERM or SIGINT: a checkpoint is written, the next start goes on from it
};

// To be called first in main(): lets waiting threads sleep soon (GOMP_SPINCOUNT). OpenMP's own habit is to spin for
// milliseconds at every meeting point, hundreds a step, which on a machine that does anything else makes training up to
// eight times slower. The runtime reads its settings before main(), so the program starts itself again, once.
void make_waiting_cheap(char** argv);

// Runs the job in `folder` to its end or to the next SIGTERM, printing events. A second run on a folder that another
// process works on is refused (conflict). A finished folder says `done` again.
LearnExit run_job(const std::filesystem::path& folder);

}  // namespace rootstock
