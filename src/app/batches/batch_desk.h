#pragma once
// Batches at work in the server: their lines go through the same routes as calls from outside, a few at a time, in a
// lane of their own. Each line is idempotent under its batch and custom_id, so that a server that dies and starts anew
// answers again what it had answered, and charges nothing twice.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "app/pipeline/exchange.h"

namespace rootstock {

struct BatchSettings {
    int lines_at_once = 8;  // of one batch
    int batches_at_once = 4;
    double look_seconds = 1;  // for new batches and cancellations
};

class BatchDesk {
public:
    BatchDesk(boost::asio::io_context& io, Services& services, const Routes& routes, BatchSettings settings = {});

    void start();
    // Begins no line any more; `drained` is called when those under way are answered.
    void stop(std::function<void()> drained);

private:
    void look();
    void take_up(catalog::Batch batch);
    void ended(const BatchId& id, std::exception_ptr fault);

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    Services& services_;
    const Routes& routes_;
    BatchSettings settings_;
    std::set<BatchId> running_;
    bool stopping_ = false;
    std::function<void()> drained_;
};

}  // namespace rootstock
