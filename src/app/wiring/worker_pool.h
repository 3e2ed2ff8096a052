#pragma once
// The workers a server keeps beside itself: each is started again when it ends, after a moment.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <vector>

#include "app/wiring/worker.h"

namespace rootstock {

class WorkerPool {
public:
    WorkerPool(boost::asio::io_context& io, const WorkerSettings& settings, int count);
    ~WorkerPool();  // tells them to stop and waits: each keeps a checkpoint

    void stop();  // tells them to stop, and starts none any more

private:
    void watch();
    void look_after(std::optional<Companion>& worker);

    boost::asio::steady_timer timer_;
    ChildCommand command_;
    std::vector<std::optional<Companion>> workers_;
};

}  // namespace rootstock
