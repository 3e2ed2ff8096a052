#pragma once
// Plans, price books and accounts.
//
// A version of a plan never changes; a new one stands beside it, and who is on an earlier one stays there. Its prices
// stand in a book of rows that hold from an instant on: the plan's own, and those of one tenant on it, which come
// first. Rows are only added, so that what was rated can be rated again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/rating.h"
#include "store/store.h"

namespace rootstock::ledger {

// What can be measured: "input_tokens", "cached_tokens" (of the input, what an earlier prompt had left ready),
// "output_tokens", "requests", "images", "rows", "training_tokens", "training_seconds", "adapter_storage".
bool is_meter(std::string_view meter);

struct Price {
    std::string meter = "input_tokens";
    std::string model{};  // the base model it is for; empty: all without a price of their own
    Rating rating{};
    std::string id{};                  // given when it is added
    TenantId tenant{};                 // whose; empty: everybody's on the plan
    Timestamp from{};                  // holds from here on: the newest that holds counts
    std::optional<Timestamp> until{};  // and up to here
};

// `amount` for every `per` units; asserts that it is a price (see unit_rating).
Price unit_price(std::string meter, std::string model, Micros amount, std::int64_t per);

// So much of a meter in a period. Hard: more is refused. Soft: more is billed, and shown.
struct Allowance {
    std::string meter{};
    std::int64_t quantity = 0;
    bool hard = true;
};

// Of all keys of a tenant together; each nothing: no such limit.
struct PlanLimits {
    std::optional<std::int64_t> requests_per_minute{}, tokens_per_minute{}, parallel{};
    bool operator==(const PlanLimits&) const = default;
};

// What a tenant agrees to.
struct Plan {
    std::string code{};
    std::int64_t version = 1;
    std::string currency = "USD";  // ISO 4217
    Micros credit_limit{};         // hard: what is owed and held together never passes it
    std::vector<Price> prices{};
    std::string name{};     // for people
    int months = 1;         // of a period: 1 or 12
    Micros fee{};           // of a period, in whole minor units; what was used comes on top
    Micros commitment{};    // usage of a period costs this at least, in whole minor units
    int trial_days = 0;     // by the wall calendar; no fee is due for them
    Micros trial_credit{};  // a grant that ends with the trial: all that can be used up to then
    PlanLimits limits{};
    std::vector<Allowance> allowances{};
    Timestamp created{};
};

// "default", version 1: pay per use, 0.02 USD per 1,000 input tokens, 0.06 USD per 1,000 output tokens, 0.008 USD per
// 1,000 tokens that tuning learns from, 0.10 USD per 1,000 rows of tables; credit limit 100 USD. Migrations put it in.
inline constexpr std::string_view default_plan = "default";

// The newest version of a plan, or a certain one, with all its prices, of tenants too; not_found, reason
// "plan_not_found".
Result<Plan> find_plan(store::Session& session, std::string_view code);
Result<Plan> find_plan(store::Session& session, std::string_view code, std::int64_t version);

// The newest version of each, by code, from behind `after` on.
std::vector<Plan> plans(store::Session& session, std::string_view after, std::int64_t limit);

// Adds the next version of `plan.code` (the version in `plan` is ignored). invalid_argument, naming the field and the
// rule: an unknown currency or meter, no price, a number below zero, a fee that is no whole number of minor units, a
// price for cached tokens above that for input.
Result<Plan> add_plan_version(store::Session& session, Plan plan, Timestamp now);

// A further row of a price book: for one tenant, or from an instant on that is not past. conflict, reason
// "price_exists".
Result<Price> add_price(store::Session& session, std::string_view code, std::int64_t version, Price price,
                        Timestamp now);

// By id; asserts that it is there.
Price price_of(store::Session& session, const std::string& id);

// Opens the books of a new tenant on the newest version of a plan: its receivable account (what it owes) and its
// subscription, by calendar months in UTC. already_exists if they are open.
Result<void> open_books(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now);

// Moves a tenant to the newest version of a plan from now on; prices and limit follow with the next request.
// conflict if the plan's currency is another. See subscription.h for changes at the period's end.
Result<void> set_plan(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now);

// What a tenant owes and has on hold.
struct Balance {
    std::string currency;
    std::string plan;  // "default v1"
    Micros owed;       // posted; below zero: what it has in credit
    Micros held;       // pending reservations
    Micros limit;
};
Result<Balance> balance(store::Session& session, const TenantId& tenant);

// Limits by the minute of the plan that a tenant is on; none without books.
PlanLimits plan_limits(store::Session& session, const TenantId& tenant);

// Decimals of a currency's minor unit (ISO 4217: USD 2, JPY 0, KWD 3); invalid_argument for one we do not know.
Result<int> minor_decimals(std::string_view currency);
// Micro-units in a minor unit of so many decimals: 10,000 for cents.
std::int64_t per_minor(int decimals);

}  // namespace rootstock::ledger
