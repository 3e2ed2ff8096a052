#pragma once
// Civil dates in UTC (std::chrono's proleptic Gregorian calendar).

#include <cstdint>
#include <string>

namespace rootstock::ledger {

inline constexpr std::int64_t micros_per_day = 86'400'000'000;

// Days since 1970-01-01 as "2026-11-23".
std::string day_name(std::int64_t days);

}  // namespace rootstock::ledger
