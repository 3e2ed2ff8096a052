#pragma once
// What serving and training cost, against what they earned. Cost is measured machine time at a machine price; time
// in which the machine stood idle is nobody's and is not distributed.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "ledger/period.h"
#include "store/store.h"

namespace rootstock::ledger {

// An hour of the whole machine. Valid from an instant on; earlier work keeps the price of its time.
// Migrations put in 0.10 USD from the beginning of time.
struct MachinePrice {
    std::string currency = "USD";
    Micros per_hour;
    Timestamp from;
};
MachinePrice machine_price(store::Session& session, Timestamp at);
// unsupported when the books are in another currency.
Result<void> set_machine_price(store::Session& session, const MachinePrice& price);

// Machine time that no answered request paid for: tuning, or work whose answer failed.
struct Work {
    std::string kind;  // "training", "failed_request"
    std::string ref;   // job or request id; kind and ref together are booked once
    TenantId tenant;   // empty: the house
    std::string model, adapter;
    AdapterId adapter_id;
    std::int64_t compute_micros = 0;  // microseconds of the whole machine
};
void book_work(store::Session& session, const Work& work, Timestamp now);

struct EconomicsRow {
    TenantId tenant;             // empty in rows by model, and for the house
    std::string model, adapter;  // empty in rows by tenant
    std::int64_t requests = 0, input_tokens = 0, output_tokens = 0;
    std::int64_t serving_micros = 0, training_micros = 0;  // machine time; serving includes failed requests
    Micros revenue, serving_cost, training_cost, margin;   // margin = revenue - both costs
};

struct Economics {
    Period period;
    std::string currency;
    std::vector<EconomicsRow> by_tenant, by_model;
    EconomicsRow total;
};

// unsupported when plans and machine prices are in several currencies.
Result<Economics> economics(store::Session& session, const Period& period);

}  // namespace rootstock::ledger
