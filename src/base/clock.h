#pragma once
// Time behind a small interface, so that tests and the billing simulation can hold it in their hand.

#include <chrono>
#include <cstdint>
#include <string>

namespace rootstock {

// An instant: microseconds since 1970-01-01 UTC.
struct Timestamp {
    std::int64_t micros = 0;
    auto operator<=>(const Timestamp&) const = default;
};

class Clock {
public:
    virtual ~Clock() = default;
    virtual Timestamp now() = 0;  // wall time; never moves backward between two calls of one Clock
};

// The machine's clock.
Clock& system_clock();

// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Timestamp start) : now_(start) {}
    Timestamp now() override { return now_; }
    void advance(std::chrono::microseconds by) { now_.micros += by.count(); }

private:
    Timestamp now_;
};

// "2026-11-23T19:00:00Z" (seconds, UTC; ISO 8601).
std::string to_iso8601(Timestamp instant);

// Seconds since an arbitrary start, monotonic: for durations.
double monotonic_seconds();

}  // namespace rootstock
