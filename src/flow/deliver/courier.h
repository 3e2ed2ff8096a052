#pragma once
// The sender beside the server: looks into the outbox every second, sends what is due on a few threads, writes down how
// it went; and looks after what else waits for the world outside. Stops after what is under way, within its time
// limits.

#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "flow/deliver/smtp.h"
#include "http/http.h"
#include "store/store.h"

namespace rootstock {

struct CourierSettings {
    http::AddressRule webhooks{.public_only = true};  // whom webhooks may reach
    std::chrono::milliseconds webhook_patience{15'000};
    SmtpSettings smtp{};
    std::size_t at_once = 4;
};

class Courier {
public:
    // `errand` is run every fifteen seconds, never twice at a time; it may wait.
    Courier(store::Database& records, Clock& clock, const outbox::Vault& vault, CourierSettings settings,
            std::function<void()> errand);
    ~Courier();

    void stop();

private:
    void loop();
    void send_webhooks();
    void send_letters();
    void send(const outbox::Parcel& parcel);
    void run(std::function<void()> work);
    void run_alone(bool& running, std::function<void()> work);

    store::Database& records_;
    Clock& clock_;
    const outbox::Vault& vault_;
    const CourierSettings settings_;
    std::function<void()> errand_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false, at_letters_ = false, on_errand_ = false;
    std::size_t under_way_ = 0;
    boost::asio::thread_pool pool_;
    std::thread thread_;
};

}  // namespace rootstock
