#pragma once
// A few read connections, lent one at a time.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "store/connection.h"

namespace rootstock::store {

class Readers {
public:
    Readers(Connector connect, const Options& options) : connect_(std::move(connect)), options_(options) {}

    // Runs `work` in one snapshot on a free connection, opening one when none is free and the limit allows.
    Result<void> run(const std::function<Result<void>(Session&)>& work);

private:
    std::unique_ptr<Connection> borrow();
    void give_back(std::unique_ptr<Connection> connection);

    const Connector connect_;
    const Options options_;
    std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<std::unique_ptr<Connection>> free_;
    int lent_ = 0;
};

}  // namespace rootstock::store
