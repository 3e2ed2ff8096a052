#pragma once
// The customers of a simulated house: their plans in every kind of price, and the database they all start from.

#include <filesystem>
#include <vector>

#include "ledger/ledger.h"

namespace rootstock::simulation {

// 2026-11-01T00:00Z: subscriptions begin with a month, so that fees are whole.
inline constexpr Timestamp opening{1'793'491'200'000'000};

struct Customer {
    TenantId tenant;
    ledger::Plan plan;
    bool invoiced = false;  // by the month; others pay beforehand
    std::vector<std::string> models;
    std::int64_t input_max = 0, output_max = 0;  // of a request
};
const std::vector<Customer>& customers();

// A closed database with all of them, for a run to copy.
void make_start(const std::filesystem::path& file);

}  // namespace rootstock::simulation
