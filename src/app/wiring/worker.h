#pragma once
// A worker's life: lease a job, do it, lease the next, until told to stop.

#include <string>

#include "base/base.h"
#include "flow/flow.h"

namespace rootstock {

struct WorkerSettings {
    Home home;
    bool once = false;  // ends when no job waits
    double poll_seconds = 0.5;
    TuneSettings tune;
};

// Until SIGTERM or SIGINT: the job at hand keeps a checkpoint and is given back.
Result<void> run_worker(const WorkerSettings& settings);

// The same as several processes, `count` of them, each started again when it ends by a fault.
Result<void> run_workers(const WorkerSettings& settings, int count);

// What starts one worker on this home, with the program that runs now.
ChildCommand worker_command(const WorkerSettings& settings);

}  // namespace rootstock
