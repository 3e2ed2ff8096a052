#pragma once
// How much a key and its tenant may ask for: requests and tokens in any minute, and requests at one time.
//
// What is counted stays counted for sixty seconds and the rest of the second it fell into, so that no sixty seconds,
// wherever they begin, hold more than the limit, and a caller who asks without pause gets at least 60/61 of it. (The
// usual bucket, GCRA, cannot hold that: with room for a request of as many tokens as the limit it lets nearly twice the
// limit through one minute. See docs/decisions/0021.) Both scopes hold; the narrower one is told.
//
// In memory: one server serves a home, and after a restart a minute begins anew. Used on one thread. Times are
// monotonic seconds.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/base.h"

namespace rootstock::tenant {

// Each nothing: no such limit.
struct Limits {
    std::optional<std::int64_t> requests_per_minute{};
    std::optional<std::int64_t> tokens_per_minute{};
    std::optional<std::int64_t> parallel{};  // requests under way at one time

    bool any() const { return requests_per_minute || tokens_per_minute || parallel; }
    bool operator==(const Limits&) const = default;
};

// invalid_argument for a limit outside 1 to 10^12.
Result<void> check_limits(const Limits& limits);

// Counts of the last minute. Memory: half a kilobyte.
class SlidingMinute {
public:
    std::int64_t used(double now) const;
    std::int64_t take(std::int64_t count, double now);                  // returns the slot, for give_back
    void give_back(std::int64_t slot, std::int64_t count, double now);  // what was taken there and not used
    // Until `count` more fit under the limit; 0: now. `count` is at most the limit.
    double seconds_until(std::int64_t count, std::int64_t limit, double now) const;
    double seconds_until_empty(double now) const { return seconds_until_at_most(0, now); }

private:
    static constexpr std::int64_t slots = 61;  // sixty seconds and the one that runs
    void forget(double now) const;
    double seconds_until_at_most(std::int64_t count, double now) const;

    mutable std::array<std::int64_t, slots> counts_{};
    mutable std::int64_t newest_ = 0;  // the second that runs
    mutable std::int64_t sum_ = 0;
};

// As it is told in x-ratelimit-*.
struct RateState {
    std::int64_t limit = 0, remaining = 0;
    double reset_seconds = 0;  // until all of it is free again
};

// A request that was let in. What it holds is let go when the last one who knows it forgets it.
class Admission {
public:
    virtual ~Admission() = default;

    // Before the work: the most that it may cost. rate_limited when it does not fit now (the sentence says when), or
    // never will (reason "tokens_above_limit"). To be called once at most.
    virtual Result<void> take_tokens(std::int64_t most) = 0;
    virtual void settle_tokens(std::int64_t used) = 0;  // after it: what it did cost; the rest is given back

    virtual std::optional<std::int64_t> tokens_max() const = 0;  // the tokens that one request can have
    virtual std::optional<RateState> requests() const = 0;       // of the narrower scope; nothing: no such limit
    virtual std::optional<RateState> tokens() const = 0;
    virtual double retry_seconds() const = 0;  // after a refusal
};

class RateLimits {
public:
    explicit RateLimits(std::function<double()> clock = monotonic_seconds);
    ~RateLimits();

    struct Scope {
        std::string id;  // of a key or a tenant
        Limits limits;
    };
    struct Refused {
        Error error;                       // rate_limited
        std::shared_ptr<Admission> state;  // for what the answer tells
    };
    // Counts the request in all scopes, or in none. Scopes without a limit cost nothing.
    std::expected<std::shared_ptr<Admission>, Refused> admit(const std::array<Scope, 2>& scopes);

    std::size_t scopes_known() const;

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace rootstock::tenant
