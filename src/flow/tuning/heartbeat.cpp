#include "flow/tuning/heartbeat.h"

#include <chrono>

namespace rootstock {

Heartbeat::Heartbeat(const TuneParts& parts, catalog::JobHold hold) : parts_(parts), hold_(std::move(hold)) {
    renew();
    thread_ = std::thread([this] { run(); });
}

Heartbeat::~Heartbeat() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    ended_.notify_all();
    thread_.join();
}

void Heartbeat::run() {
    const std::chrono::duration<double> pause(parts_.settings.renew_seconds);
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, pause, [this] { return ending_; })) {
        lock.unlock();
        renew();
        lock.lock();
    }
}

// A store that cannot be written for a moment is no lost lease: the next beat tries again.
void Heartbeat::renew() {
    auto wish = parts_.records.write_now([this](store::Session& session) {
        return catalog::renew_lease(session, hold_, parts_.clock.now(), parts_.settings.lease_seconds);
    });
    if (wish)
        wish_ = *wish;
    else if (wish.error().reason == "lease_lost" || wish.error().code == ErrorCode::not_found)
        lost_ = true;
    else
        spdlog::warn("the lease of {} was not renewed: {}", hold_.id.text(), wish.error().message);
}

}  // namespace rootstock
