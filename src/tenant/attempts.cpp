#include "tenant/attempts.h"

#include <algorithm>

namespace rootstock::tenant {
namespace {

constexpr int pair_failures = 10, address_failures = 50;
constexpr double minute = 60, penalty_max = 3600, remembered = 2 * penalty_max;
constexpr std::size_t known_max = 20'000;

std::string pair_of(const std::string& address, const std::string& account) { return address + " " + account; }

}  // namespace

double Attempts::wait_of(const std::string& who, double now) const {
    const auto found = counted_.find(who);
    return found == counted_.end() ? 0 : std::max(0.0, found->second.until - now);
}

double Attempts::seconds_to_wait(const std::string& address, const std::string& account, double now) const {
    return std::max(wait_of(address, now), wait_of(pair_of(address, account), now));
}

void Attempts::count(const std::string& who, int most, double now) {
    auto& counted = counted_.try_emplace(who, Counted{0, now, 0, 0}).first->second;
    if (now - counted.since > minute) counted = {0, now, counted.until, counted.penalty};
    if (++counted.failures < most) return;
    counted.penalty = std::clamp(2 * counted.penalty, minute, penalty_max);
    counted = {0, now + counted.penalty, now + counted.penalty, counted.penalty};
}

void Attempts::failed(const std::string& address, const std::string& account, double now) {
    forget(now);
    count(address, address_failures, now);
    count(pair_of(address, account), pair_failures, now);
}

void Attempts::succeeded(const std::string& address, const std::string& account) {
    counted_.erase(pair_of(address, account));
}

// What is long past goes first; under a flood of addresses the oldest names go.
void Attempts::forget(double now) {
    if (counted_.size() < known_max) return;
    std::erase_if(counted_, [now](const auto& known) { return now - known.second.since > remembered; });
    if (counted_.size() < known_max) return;
    std::erase_if(counted_, [now](const auto& known) { return known.second.until <= now; });
    if (counted_.size() >= known_max) counted_.clear();
}

}  // namespace rootstock::tenant
