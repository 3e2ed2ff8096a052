// rootstock worker: does the tuning jobs that wait.

#include "app/commands/commands.h"
#include "app/wiring/worker.h"

namespace rootstock {
namespace {

struct WorkerOptions {
    bool once = false;
    int jobs = 1;
    double lease_seconds = TuneSettings{}.lease_seconds;
    double poll_seconds = WorkerSettings{}.poll_seconds;
};

Result<void> work(const Context& context, const WorkerOptions& options) {
    ROOTSTOCK_TRY(home, open_home(context.home));
    WorkerSettings settings;
    settings.home = home;
    settings.once = options.once;
    settings.poll_seconds = options.poll_seconds;
    settings.tune.lease_seconds = options.lease_seconds;
    settings.tune.renew_seconds = options.lease_seconds / 6;
    settings.tune.again_seconds = std::min(settings.tune.again_seconds, options.lease_seconds);
    return options.jobs == 1 ? run_worker(settings) : run_workers(settings, options.jobs);
}

}  // namespace

void add_worker_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("worker", "do the tuning jobs that wait");
    auto options = std::make_shared<WorkerOptions>();
    command->add_flag("--once", options->once, "end when no job waits");
    command->add_option("--jobs", options->jobs, "jobs at a time, each in a process of its own")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    command
        ->add_option("--lease-seconds", options->lease_seconds,
                     "a job whose worker is silent for so long is taken over")
        ->check(CLI::Range(1.0, 3600.0))
        ->capture_default_str();
    command->add_option("--poll-seconds", options->poll_seconds, "between two looks for a job")
        ->check(CLI::Range(0.05, 60.0))
        ->capture_default_str();
    command->callback([&context, options] { run_command(context, [&] { return work(context, *options); }); });
}

}  // namespace rootstock
