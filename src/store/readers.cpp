#include "store/readers.h"

namespace rootstock::store {

std::unique_ptr<Connection> Readers::borrow() {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return !free_.empty() || lent_ < options_.readers; });
    ++lent_;
    if (free_.empty()) return nullptr;
    auto connection = std::move(free_.back());
    free_.pop_back();
    return connection;
}

// A null connection is one that failed to open or fell ill: its place is free again.
void Readers::give_back(std::unique_ptr<Connection> connection) {
    {
        const std::lock_guard lock(mutex_);
        --lent_;
        if (connection) free_.push_back(std::move(connection));
    }
    freed_.notify_one();
}

Result<void> Readers::run(const std::function<Result<void>(Session&)>& work) {
    auto connection = borrow();
    Result<void> outcome;
    try {
        if (!connection) connection = connect_(Access::read);
        connection->step(Step::begin_read);
        outcome = work(*connection);
        connection->step(Step::commit);
    } catch (const Failure& failure) {
        outcome = fail(failure.error());
        connection.reset();
    } catch (const std::exception& fault) {
        outcome = fail(ErrorCode::internal, std::string("reading the records failed: ") + fault.what());
        connection.reset();
    }
    give_back(std::move(connection));
    return outcome;
}

}  // namespace rootstock::store
