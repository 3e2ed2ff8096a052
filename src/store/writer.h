#pragma once
// The one thread that writes, and its group commit.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "store/connection.h"

namespace rootstock::store {

class Writer {
public:
    using Work = Database::Work;
    using Done = Database::Done;

    Writer(std::unique_ptr<Connection> connection, const Options& options);
    ~Writer();  // runs what is queued

    void write(Work work, Done done);
    bool is_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }
    bool last_commit_went_well() const { return went_well_; }

private:
    struct Job {
        Work work;
        Done done;
        Result<void> outcome;
    };
    using Group = std::vector<Job>;

    void loop();
    Group next_group();
    void run_group(Group& group);
    void commit_group(Group& group);
    void run_alone(Job& job);
    void run_in_savepoint(Job& job);

    std::unique_ptr<Connection> connection_;
    const Options options_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> queue_;
    bool closing_ = false;
    std::atomic<bool> went_well_ = true;
    std::thread thread_;
};

}  // namespace rootstock::store
