#include "app/wiring/worker.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "app/wiring/records.h"

namespace rootstock {
namespace {

std::atomic<bool> told_to_stop{false};

void on_signal(int) { told_to_stop = true; }

void listen_for_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
}

void pause(double seconds) {
    constexpr double tick = 0.1;
    for (double waited = 0; waited < seconds && !told_to_stop; waited += tick)
        std::this_thread::sleep_for(std::chrono::duration<double>(tick));
}

Result<TuneOutcome> next(const TuneParts& parts) {
    auto outcome = tune_next(parts);
    if (outcome) return outcome;
    // A store in trouble may be well again in a moment; a worker that gives up for it helps nobody.
    spdlog::warn("worker: {}", outcome.error().message);
    return TuneOutcome::nothing;
}

std::string decimal(double number) { return json::serialize(json::value(number)); }

}  // namespace

Result<void> run_worker(const WorkerSettings& settings) {
    listen_for_signals();
    ROOTSTOCK_TRY(records, open_records(settings.home));
    store::Blobs blobs(catalog::files_folder(settings.home));
    auto& clock = system_clock();
    TuneParts parts{
        *records,     blobs, settings.home, clock, mint_id("worker", clock.now()), [] { return told_to_stop.load(); },
        settings.tune};
    while (!told_to_stop) {
        ROOTSTOCK_TRY(outcome, next(parts));
        if (outcome == TuneOutcome::stopped) break;
        if (outcome == TuneOutcome::nothing && settings.once) break;
        if (outcome == TuneOutcome::nothing) pause(settings.poll_seconds);
    }
    return {};
}

ChildCommand worker_command(const WorkerSettings& settings) {
    std::error_code code;
    ChildCommand command{{std::filesystem::read_symlink("/proc/self/exe", code).string(), "--home",
                          settings.home.root.string(), "worker", "--lease-seconds",
                          decimal(settings.tune.lease_seconds), "--poll-seconds", decimal(settings.poll_seconds)},
                         {}};
    if (settings.once) command.words.push_back("--once");
    return command;
}

Result<void> run_workers(const WorkerSettings& settings, int count) {
    listen_for_signals();
    const auto command = worker_command(settings);
    std::vector<Companion> workers;
    for (int i = 0; i < count; ++i) {
        ROOTSTOCK_TRY(worker, Companion::start(command));
        workers.push_back(std::move(worker));
    }
    while (!told_to_stop && !workers.empty()) {
        pause(0.5);
        for (auto& worker : workers) {
            auto end = worker.ended();
            if (!end || end->status == 0) continue;
            spdlog::warn("a worker {}; another is started", describe(*end));
            pause(1);
            ROOTSTOCK_TRY(another, Companion::start(command));
            worker = std::move(another);
        }
        std::erase_if(workers, [](const Companion& worker) { return worker.process() < 0; });
    }
    for (auto& worker : workers) worker.signal(SIGTERM);
    return {};  // each is waited for as it is taken down
}

}  // namespace rootstock
