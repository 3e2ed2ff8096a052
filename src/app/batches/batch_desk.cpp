#include "app/batches/batch_desk.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/batches/batch_job.h"

namespace rootstock {

BatchDesk::BatchDesk(boost::asio::io_context& io, Services& services, const Routes& routes, BatchSettings settings)
    : io_(io), timer_(io), services_(services), routes_(routes), settings_(settings) {}

void BatchDesk::start() { look(); }

void BatchDesk::stop(std::function<void()> drained) {
    stopping_ = true;
    timer_.cancel();
    if (running_.empty()) return drained();
    drained_ = std::move(drained);
}

void BatchDesk::look() {
    auto open = services_.records->read(
        [](store::Session& session) -> Result<std::vector<catalog::Batch>> { return catalog::open_batches(session); });
    if (!open) spdlog::warn("batches: {}", open.error().message);
    for (auto& batch : open ? *open : std::vector<catalog::Batch>())
        if (static_cast<int>(running_.size()) < settings_.batches_at_once && !running_.contains(batch.id))
            take_up(std::move(batch));
    timer_.expires_after(std::chrono::milliseconds(static_cast<std::int64_t>(settings_.look_seconds * 1000)));
    timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !stopping_) look();
    });
}

void BatchDesk::take_up(catalog::Batch batch) {
    auto id = batch.id;
    running_.insert(id);
    auto job =
        std::make_shared<BatchJob>(services_, routes_, std::move(batch),
                                   BatchJobSettings{settings_.lines_at_once, settings_.look_seconds, &stopping_});
    auto run = [](std::shared_ptr<BatchJob> work) -> Task<void> { co_await work->run(); };
    boost::asio::co_spawn(io_, run(job), [this, id, job](std::exception_ptr fault) { ended(id, fault); });
}

void BatchDesk::ended(const BatchId& id, std::exception_ptr fault) {
    try {
        if (fault) std::rethrow_exception(fault);
    } catch (const std::exception& thrown) {
        spdlog::error("{}: {}", id.text(), thrown.what());
    }
    running_.erase(id);
    if (stopping_ && running_.empty() && drained_) std::exchange(drained_, nullptr)();
}

}  // namespace rootstock
