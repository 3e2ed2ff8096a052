#include "store/writer.h"

#include <algorithm>

namespace rootstock::store {

Writer::Writer(std::unique_ptr<Connection> connection, const Options& options)
    : connection_(std::move(connection)), options_(options), thread_([this] { loop(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Writer::write(Work work, Done done) {
    {
        const std::lock_guard lock(mutex_);
        ROOTSTOCK_CHECK(!closing_, "a work was queued on a store that is closing");
        if (queue_.size() < options_.queue_max) {
            queue_.push_back({std::move(work), std::move(done), {}});
            if (queue_.size() == 1) wake_.notify_one();
            return;
        }
    }
    done(fail(ErrorCode::overloaded, "too many changes wait for the disk: try again in a moment", {}, "store_queue"));
}

Writer::Group Writer::next_group() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return closing_ || !queue_.empty(); });
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.group_max));
    Group group(std::move_iterator(queue_.begin()), std::move_iterator(queue_.begin() + count));
    queue_.erase(queue_.begin(), queue_.begin() + count);
    return group;
}

void Writer::loop() {
    while (true) {
        Group group = next_group();
        if (group.empty()) return;
        run_group(group);
        for (Job& job : group) job.done(std::move(job.outcome));
    }
}

// Either the whole group's outcome is durable when this returns, or none of it happened.
void Writer::run_group(Group& group) {
    try {
        if (connection_->lost_a_sync())
            throw Failure({ErrorCode::unavailable,
                           "the disk failed to sync the records: stop, check the disk, and start again",
                           {},
                           "sync"});
        commit_group(group);
        went_well_ = true;
    } catch (const Failure& failure) {
        connection_->abandon_transaction();
        went_well_ = failure.error().code == ErrorCode::internal;
        for (Job& job : group)
            if (job.outcome) job.outcome = fail(failure.error());
    }
}

void Writer::commit_group(Group& group) {
    connection_->step(Step::begin_write);
    if (group.size() == 1) {
        run_alone(group.front());
    } else {
        for (Job& job : group) run_in_savepoint(job);
    }
    const bool changed = std::ranges::any_of(group, [](const Job& job) { return job.outcome.has_value(); });
    connection_->step(changed ? Step::commit : Step::rollback);
}

// A work that fails by its own fault is undone alone; a fault that ended the whole transaction goes up.
void Writer::run_alone(Job& job) {
    try {
        job.outcome = job.work(*connection_);
    } catch (const Failure& failure) {
        if (!connection_->in_transaction()) throw;
        job.outcome = fail(failure.error());
    } catch (const std::exception& fault) {
        job.outcome = fail(ErrorCode::internal, std::string("a change of the records failed: ") + fault.what());
    }
}

void Writer::run_in_savepoint(Job& job) {
    connection_->step(Step::savepoint);
    run_alone(job);
    if (!job.outcome) connection_->step(Step::undo_work);
    connection_->step(Step::keep_work);
}

}  // namespace rootstock::store
