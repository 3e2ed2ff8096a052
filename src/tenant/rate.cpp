#include "tenant/rate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace rootstock::tenant {
namespace {

constexpr std::int64_t limit_max = 1'000'000'000'000;
constexpr double parallel_retry_seconds = 1;
constexpr std::size_t sweep_above = 1024;  // scopes; those at rest are forgotten then

std::int64_t second_of(double now) { return static_cast<std::int64_t>(std::floor(now)); }

std::string in_seconds(double seconds) {
    return std::to_string(static_cast<std::int64_t>(std::ceil(std::max(seconds, 0.001)))) + " s";
}

}  // namespace

Result<void> check_limits(const Limits& limits) {
    for (const auto& limit : {limits.requests_per_minute, limits.tokens_per_minute, limits.parallel})
        if (limit && (*limit < 1 || *limit > limit_max))
            return fail(ErrorCode::invalid_argument, "a limit is a number from 1 to 10^12; leave it out for none",
                        "limit");
    return {};
}

// ---- the minute ----

void SlidingMinute::forget(double now) const {
    const auto second = second_of(now);
    const auto passed = std::min(second - newest_, slots);
    for (std::int64_t i = 1; i <= passed; ++i) {
        auto& count = counts_[static_cast<std::size_t>((newest_ + i) % slots)];
        sum_ -= count;
        count = 0;
    }
    newest_ = std::max(newest_, second);
}

std::int64_t SlidingMinute::used(double now) const {
    forget(now);
    return sum_;
}

std::int64_t SlidingMinute::take(std::int64_t count, double now) {
    forget(now);
    counts_[static_cast<std::size_t>(newest_ % slots)] += count;
    sum_ += count;
    return newest_;
}

void SlidingMinute::give_back(std::int64_t slot, std::int64_t count, double now) {
    forget(now);
    if (slot <= newest_ - slots) return;  // forgotten by itself
    auto& counted = counts_[static_cast<std::size_t>(slot % slots)];
    ROOTSTOCK_CHECK(count >= 0 && count <= counted, "more is given back than was taken");
    counted -= count;
    sum_ -= count;
}

double SlidingMinute::seconds_until(std::int64_t count, std::int64_t limit, double now) const {
    return seconds_until_at_most(limit - count, now);
}

double SlidingMinute::seconds_until_at_most(std::int64_t count, double now) const {
    forget(now);
    auto left = sum_;
    for (auto second = newest_ - slots + 1; left > count && second <= newest_; ++second) {
        if (second < 0) continue;
        left -= counts_[static_cast<std::size_t>(second % slots)];
        if (left <= count) return static_cast<double>(second + slots) - now;
    }
    return 0;
}

// ---- scopes ----

namespace {

struct Gauge {
    SlidingMinute requests, tokens;
    std::int64_t parallel = 0;

    bool at_rest(double now) const { return parallel == 0 && requests.used(now) == 0 && tokens.used(now) == 0; }
};

struct Place {
    Limits limits;
    std::shared_ptr<Gauge> gauge;
    bool entered = false;   // counted among those under way
    std::int64_t slot = 0;  // of the tokens taken
};

std::optional<RateState> state_of(const SlidingMinute& minute, std::optional<std::int64_t> limit, double now) {
    if (!limit) return std::nullopt;
    return RateState{*limit, std::max<std::int64_t>(*limit - minute.used(now), 0), minute.seconds_until_empty(now)};
}

// The one that leaves less.
std::optional<RateState> narrower(std::optional<RateState> a, std::optional<RateState> b) {
    if (!a || !b) return a ? a : b;
    return a->remaining <= b->remaining ? a : b;
}

}  // namespace

struct RateLimits::State {
    std::function<double()> clock;
    std::map<std::string, std::shared_ptr<Gauge>> gauges{};

    std::shared_ptr<Gauge> gauge_of(const std::string& id) {
        if (gauges.size() >= sweep_above && !gauges.contains(id)) sweep();
        auto& gauge = gauges[id];
        if (!gauge) gauge = std::make_shared<Gauge>();
        return gauge;
    }

    void sweep() {
        const auto now = clock();
        std::erase_if(gauges, [now](const auto& known) { return known.second->at_rest(now); });
    }
};

namespace {

class Held : public Admission {
public:
    Held(std::function<double()> clock, std::vector<Place> places)
        : clock_(std::move(clock)), places_(std::move(places)) {}

    ~Held() override {
        for (auto& place : places_)
            if (place.entered) --place.gauge->parallel;
    }

    Result<void> enter() {
        const auto now = clock_();
        for (const auto& place : places_) ROOTSTOCK_CHECKED(may_enter(place, now));
        for (auto& place : places_) {
            place.gauge->requests.take(1, now);
            ++place.gauge->parallel;
            place.entered = true;
        }
        return {};
    }

    Result<void> take_tokens(std::int64_t most) override {
        ROOTSTOCK_CHECK(!taken_, "a request takes its tokens twice");
        const auto now = clock_();
        for (const auto& place : places_) ROOTSTOCK_CHECKED(may_take(place, most, now));
        for (auto& place : places_) place.slot = place.gauge->tokens.take(most, now);
        taken_ = most;
        return {};
    }

    void settle_tokens(std::int64_t used) override {
        const auto rest = taken_.value_or(0) - used;
        if (rest <= 0) return;
        const auto now = clock_();
        for (auto& place : places_) place.gauge->tokens.give_back(place.slot, rest, now);
        taken_ = used;
    }

    std::optional<std::int64_t> tokens_max() const override {
        std::optional<std::int64_t> least;
        for (const auto& place : places_)
            if (const auto limit = place.limits.tokens_per_minute) least = std::min(least.value_or(*limit), *limit);
        return least;
    }

    std::optional<RateState> requests() const override {
        std::optional<RateState> state;
        for (const auto& place : places_)
            state = narrower(state, state_of(place.gauge->requests, place.limits.requests_per_minute, clock_()));
        return state;
    }

    std::optional<RateState> tokens() const override {
        std::optional<RateState> state;
        for (const auto& place : places_)
            state = narrower(state, state_of(place.gauge->tokens, place.limits.tokens_per_minute, clock_()));
        return state;
    }

    double retry_seconds() const override { return retry_seconds_; }

private:
    Result<void> may_enter(const Place& place, double now) {
        const auto& limits = place.limits;
        if (limits.parallel && place.gauge->parallel >= *limits.parallel) {
            retry_seconds_ = parallel_retry_seconds;
            return fail(ErrorCode::rate_limited, "as many requests are under way as may be at one time (limit " +
                                                     std::to_string(*limits.parallel) +
                                                     "): wait for one of them to be answered");
        }
        const auto limit = limits.requests_per_minute;
        if (!limit || place.gauge->requests.used(now) < *limit) return {};
        retry_seconds_ = place.gauge->requests.seconds_until(1, *limit, now);
        return fail(ErrorCode::rate_limited, "the limit of " + std::to_string(*limit) +
                                                 " requests per minute is reached: try again in " +
                                                 in_seconds(retry_seconds_));
    }

    Result<void> may_take(const Place& place, std::int64_t most, double now) {
        const auto limit = place.limits.tokens_per_minute;
        if (!limit) return {};
        if (most > *limit)
            return fail(ErrorCode::rate_limited,
                        "this request may need " + std::to_string(most) + " tokens, and the limit is " +
                            std::to_string(*limit) + " tokens per minute: shorten it or ask for a shorter answer",
                        {}, "tokens_above_limit");
        if (place.gauge->tokens.used(now) + most <= *limit) return {};
        retry_seconds_ = place.gauge->tokens.seconds_until(most, *limit, now);
        return fail(ErrorCode::rate_limited, "the limit of " + std::to_string(*limit) +
                                                 " tokens per minute leaves no room for the " + std::to_string(most) +
                                                 " that this request may need: try again in " +
                                                 in_seconds(retry_seconds_));
    }

    std::function<double()> clock_;
    std::vector<Place> places_;
    std::optional<std::int64_t> taken_;
    double retry_seconds_ = 0;
};

}  // namespace

RateLimits::RateLimits(std::function<double()> clock) : state_(new State{std::move(clock)}) {}
RateLimits::~RateLimits() = default;

std::expected<std::shared_ptr<Admission>, RateLimits::Refused> RateLimits::admit(const std::array<Scope, 2>& scopes) {
    std::vector<Place> places;
    for (const auto& scope : scopes)
        if (scope.limits.any()) places.push_back({scope.limits, state_->gauge_of(scope.id)});
    if (places.empty()) return nullptr;
    auto held = std::make_shared<Held>(state_->clock, std::move(places));
    if (auto entered = held->enter(); !entered) return std::unexpected(Refused{entered.error(), held});
    return held;
}

std::size_t RateLimits::scopes_known() const { return state_->gauges.size(); }

}  // namespace rootstock::tenant
