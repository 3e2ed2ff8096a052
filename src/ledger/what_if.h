#pragma once
// What customers of a kind would cost and bring: measured seconds of work, times prices that are only supposed.
//
// The work of one customer in a month is so many requests of each operation, each taking what one of them took in the
// months that were measured, and what tuning took for each customer. Machines come whole; each gives `utilisation` per
// cent of its hours to work. So the cost per customer falls with their number towards the cost of the work alone.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "ledger/period.h"
#include "store/store.h"

namespace rootstock::ledger {

struct WhatIfOrder {
    Period measured{};                                             // whose requests are taken for example
    std::vector<std::int64_t> customers{1, 10, 100, 1000, 10000};  // the scales to look at
    std::map<std::string, std::int64_t> mix{};  // requests of one customer a month, by operation; none: as measured
    Micros price{};                             // what one customer pays a month
    std::optional<Micros> machine_per_hour{};   // nothing: what a machine hour costs now
    std::int64_t utilisation = 70;              // per cent of a machine's hours that can be work
};

// One operation in a customer's month.
struct WhatIfWork {
    std::string operation{};  // "classify", ...; "training" for tuning
    std::int64_t requests = 0;
    std::int64_t micros = 0;  // machine time of all of them
};

struct WhatIfRow {
    std::int64_t customers = 0, machines = 0;
    std::int64_t used_basis_points = 0;  // of the machines' hours
    Micros cost{}, cost_per_customer{}, revenue{}, margin{};
};

struct WhatIf {
    std::string currency{};
    Micros price{}, machine_per_hour{};
    std::int64_t utilisation = 70;
    std::int64_t measured_requests = 0, measured_customers = 0;
    std::vector<WhatIfWork> works{};  // of one customer a month
    std::int64_t micros = 0;          // their sum
    std::vector<WhatIfRow> rows{};
    std::optional<std::int64_t> break_even{};  // customers from which on the price covers the machines; nothing: never
};

// A month of the machine: 730 hours.
inline constexpr std::int64_t hours_of_month = 730;

// invalid_argument, naming the field: scales that are none or not 1..10^9, a price or machine price below zero, a
// utilisation outside 1..100, an operation that was never measured; not_found, reason "nothing_measured", where there
// is no request to take for example.
Result<WhatIf> what_if(store::Session& session, const WhatIfOrder& order);

json::object to_json(const WhatIf& answer);

}  // namespace rootstock::ledger
