#pragma once
// Keeps a lease while its holder works, and hears what the job's owner wishes meanwhile.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "catalog/catalog.h"
#include "flow/tune.h"

namespace rootstock {

class Heartbeat {
public:
    Heartbeat(const TuneParts& parts, catalog::JobHold hold);
    ~Heartbeat();

    bool lost() const { return lost_; }  // somebody else has the job by now: change nothing any more
    catalog::JobWish wish() const { return wish_; }

private:
    void run();
    void renew();

    const TuneParts& parts_;
    const catalog::JobHold hold_;
    std::atomic<bool> lost_{false};
    std::atomic<catalog::JobWish> wish_{catalog::JobWish::run};
    std::mutex mutex_;
    std::condition_variable ended_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace rootstock
