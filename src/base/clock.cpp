#include "base/clock.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>

namespace rootstock {
namespace {

class SystemClock final : public Clock {
public:
    Timestamp now() override {
        using namespace std::chrono;
        auto wall = duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
        auto last = last_.load();
        while (wall > last && !last_.compare_exchange_weak(last, wall)) {
        }
        return {std::max<std::int64_t>(wall, last)};
    }

private:
    std::atomic<std::int64_t> last_{0};
};

}  // namespace

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

std::string to_iso8601(Timestamp instant) {
    std::int64_t seconds = instant.micros / 1'000'000 - (instant.micros % 1'000'000 < 0 ? 1 : 0);
    std::time_t time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

double monotonic_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace rootstock
