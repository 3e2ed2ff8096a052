#include "ledger/what_if.h"

#include <algorithm>
#include <limits>

#include "ledger/economics.h"

namespace rootstock::ledger {
namespace {

__extension__ typedef __int128 Wide;

constexpr std::int64_t scale_max = 1'000'000'000, requests_max = 1'000'000'000;
constexpr std::size_t scales_max = 100, operations_max = 100;
constexpr std::int64_t price_max = 1'000'000'000'000;  // micro-units: a million of the major unit
constexpr std::int64_t micros_of_hour = 3'600'000'000;
constexpr std::int64_t machines_max = 1'000'000;  // of the search for a break-even

std::unexpected<Error> refuse(std::string sentence, const char* field) {
    return fail(ErrorCode::invalid_argument, std::move(sentence), field);
}

Result<void> check(const WhatIfOrder& order) {
    if (order.customers.empty() || order.customers.size() > scales_max)
        return refuse("name 1 to 100 numbers of customers to look at", "customers");
    for (const auto number : order.customers)
        if (number < 1 || number > scale_max) return refuse("there are 1 to 10^9 customers", "customers");
    if (order.mix.size() > operations_max) return refuse("a mix has at most 100 operations", "mix");
    for (const auto& [operation, requests] : order.mix)
        if (requests < 0 || requests > requests_max)
            return refuse("a customer makes 0 to 10^9 requests of '" + operation + "' a month", "mix");
    if (order.price.value < 0 || order.price.value > price_max)
        return refuse("a customer pays 0 to 1000000 a month", "price");
    if (order.machine_per_hour && (order.machine_per_hour->value < 0 || order.machine_per_hour->value > price_max))
        return refuse("a machine hour costs 0 to 1000000", "machine");
    if (order.utilisation < 1 || order.utilisation > 100)
        return refuse("1 to 100 per cent of a machine's hours can be work", "utilisation");
    return {};
}

// What there is to take for example: requests and their machine time by operation, and the rest of the work by kind.
struct Measured {
    struct Sum {
        std::int64_t requests = 0, micros = 0;
    };
    std::map<std::string, Sum> operations, other;
    std::int64_t requests = 0, customers = 0;
};

Measured measure(store::Session& session, const Period& period) {
    Measured measured;
    session.for_each<std::string, std::int64_t, std::int64_t>(
        "SELECT operation, COUNT(*), CAST(SUM(compute_micros) AS BIGINT) FROM usage_event WHERE occurred_at >= :start "
        "AND occurred_at < :end GROUP BY operation ORDER BY operation",
        [&](std::string operation, std::int64_t requests, std::int64_t micros) {
            measured.requests += requests;
            measured.operations[std::move(operation)] = {requests, micros};
        },
        period.start, period.end);
    session.for_each<std::string, std::int64_t, std::int64_t>(
        "SELECT kind, COUNT(*), CAST(SUM(compute_micros) AS BIGINT) FROM cost_event WHERE occurred_at >= :start AND "
        "occurred_at < :end AND tenant_id <> '' GROUP BY kind ORDER BY kind",
        [&](std::string kind, std::int64_t count, std::int64_t micros) {
            measured.other[std::move(kind)] = {count, micros};
        },
        period.start, period.end);
    measured.customers = session.value<std::int64_t>(
        "SELECT COUNT(DISTINCT tenant_id) FROM usage_event WHERE occurred_at >= :start AND occurred_at < :end",
        period.start, period.end);
    return measured;
}

std::int64_t rounded(Wide number, Wide divisor) { return static_cast<std::int64_t>((number + divisor / 2) / divisor); }

std::string known_operations(const Measured& measured) {
    std::string names;
    for (const auto& [operation, sum] : measured.operations) names += (names.empty() ? "" : ", ") + operation;
    return names;
}

// One customer's month: what the mix says, or the average of who was measured; tuning and what failed as measured.
Result<std::vector<WhatIfWork>> works_of(const WhatIfOrder& order, const Measured& measured) {
    std::vector<WhatIfWork> works;
    for (const auto& [operation, requests] : order.mix) {
        const auto found = measured.operations.find(operation);
        if (found == measured.operations.end())
            return refuse("'" + operation + "' was not measured in that time; there is: " + known_operations(measured),
                          "mix");
        works.push_back({operation, requests, rounded(Wide(requests) * found->second.micros, found->second.requests)});
    }
    if (order.mix.empty())
        for (const auto& [operation, sum] : measured.operations)
            works.push_back(
                {operation, rounded(sum.requests, measured.customers), rounded(sum.micros, measured.customers)});
    for (const auto& [kind, sum] : measured.other)
        works.push_back({kind, rounded(sum.requests, measured.customers), rounded(sum.micros, measured.customers)});
    return works;
}

// Of one machine in a month.
Wide capacity_of(const WhatIf& answer) { return Wide(hours_of_month) * micros_of_hour * answer.utilisation / 100; }
Wide month_price(const WhatIf& answer) { return Wide(answer.machine_per_hour.value) * hours_of_month; }

bool fits(Wide number) { return number <= std::numeric_limits<std::int64_t>::max(); }

Result<WhatIfRow> row_of(const WhatIf& answer, std::int64_t customers) {
    const Wide work = Wide(customers) * answer.micros, capacity = capacity_of(answer);
    const Wide machines = std::max<Wide>(1, (work + capacity - 1) / capacity);
    const Wide cost = machines * month_price(answer), revenue = Wide(customers) * answer.price.value;
    if (!fits(machines) || !fits(cost) || !fits(revenue))
        return refuse("these are sums that no ledger holds: look at fewer customers", "customers");
    WhatIfRow row{.customers = customers, .machines = static_cast<std::int64_t>(machines)};
    row.used_basis_points = rounded(work * 10'000, machines * hours_of_month * micros_of_hour);
    row.cost = {static_cast<std::int64_t>(cost)};
    row.cost_per_customer = {rounded(cost, customers)};
    row.revenue = {static_cast<std::int64_t>(revenue)};
    row.margin = row.revenue - row.cost;
    return row;
}

// The fewest customers whose price covers the machines that their work needs. So many machines are covered from
// machines x month / price customers on, and hold capacity x machines / work of them: the first number of machines for
// which the one does not pass the other has the answer.
std::optional<std::int64_t> break_even_of(const WhatIf& answer) {
    const Wide month = month_price(answer), price = answer.price.value, capacity = capacity_of(answer);
    if (month == 0) return 1;
    if (price == 0) return std::nullopt;
    for (std::int64_t machines = 1; machines <= machines_max; ++machines) {
        const Wide covered = std::max<Wide>(1, (machines * month + price - 1) / price);
        if (!fits(covered)) return std::nullopt;
        if (answer.micros == 0 || covered * answer.micros <= machines * capacity)
            return static_cast<std::int64_t>(covered);
    }
    return std::nullopt;
}

}  // namespace

Result<WhatIf> what_if(store::Session& session, const WhatIfOrder& order) {
    ROOTSTOCK_CHECKED(check(order));
    const Measured measured = measure(session, order.measured);
    if (measured.requests == 0)
        return fail(ErrorCode::not_found, "no request was answered in that time: there is nothing to take for example",
                    "month", "nothing_measured");
    const MachinePrice machine = machine_price(session, Timestamp{order.measured.end.micros - 1});
    WhatIf answer{.currency = machine.currency,
                  .price = order.price,
                  .machine_per_hour = order.machine_per_hour.value_or(machine.per_hour),
                  .utilisation = order.utilisation,
                  .measured_requests = measured.requests,
                  .measured_customers = measured.customers};
    ROOTSTOCK_TRY(works, works_of(order, measured));
    answer.works = std::move(works);
    for (const WhatIfWork& work : answer.works) answer.micros += work.micros;
    for (const auto number : order.customers) {
        ROOTSTOCK_TRY(row, row_of(answer, number));
        answer.rows.push_back(row);
    }
    std::ranges::sort(answer.rows, {}, &WhatIfRow::customers);
    answer.break_even = break_even_of(answer);
    return answer;
}

json::object to_json(const WhatIf& answer) {
    json::array works, rows;
    for (const WhatIfWork& work : answer.works)
        works.push_back(json::object{{"operation", work.operation},
                                     {"requests", work.requests},
                                     {"seconds", format_exact(Micros{work.micros})}});
    for (const WhatIfRow& row : answer.rows)
        rows.push_back(json::object{{"customers", row.customers},
                                    {"machines", row.machines},
                                    {"used_basis_points", row.used_basis_points},
                                    {"cost", format_exact(row.cost)},
                                    {"cost_per_customer", format_exact(row.cost_per_customer)},
                                    {"revenue", format_exact(row.revenue)},
                                    {"margin", format_exact(row.margin)}});
    return {{"currency", answer.currency},
            {"price", format_exact(answer.price)},
            {"machine_price_per_hour", format_exact(answer.machine_per_hour)},
            {"utilisation", answer.utilisation},
            {"measured_requests", answer.measured_requests},
            {"measured_customers", answer.measured_customers},
            {"month_of_a_customer", std::move(works)},
            {"seconds_of_a_customer", format_exact(Micros{answer.micros})},
            {"break_even_customers", answer.break_even ? json::value(*answer.break_even) : json::value(nullptr)},
            {"rows", std::move(rows)}};
}

}  // namespace rootstock::ledger
