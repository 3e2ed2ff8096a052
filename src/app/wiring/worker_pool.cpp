#include "app/wiring/worker_pool.h"

#include <csignal>

namespace rootstock {
namespace {

constexpr std::chrono::seconds look_every{2};  // also the pause before a dead worker's place is taken

}  // namespace

WorkerPool::WorkerPool(boost::asio::io_context& io, const WorkerSettings& settings, int count)
    : timer_(io), command_(worker_command(settings)), workers_(static_cast<std::size_t>(count)) {
    for (auto& worker : workers_) look_after(worker);
    if (!workers_.empty()) watch();
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::stop() {
    timer_.cancel();
    for (auto& worker : workers_)
        if (worker) worker->signal(SIGTERM);
}

void WorkerPool::watch() {
    timer_.expires_after(look_every);
    timer_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled) return;
        for (auto& worker : workers_) look_after(worker);
        watch();
    });
}

void WorkerPool::look_after(std::optional<Companion>& worker) {
    if (worker) {
        auto end = worker->ended();
        if (!end) return;
        spdlog::warn("a worker {}; another is started", describe(*end));
    }
    worker.reset();
    auto started = Companion::start(command_);
    if (started)
        worker.emplace(std::move(*started));
    else
        spdlog::error("no worker: {}", started.error().message);
}

}  // namespace rootstock
