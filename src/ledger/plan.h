#pragma once
// Plans, prices and accounts.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

// A price: `amount` for every `per` units of `meter`. The price of n units is rate(n, amount, per).
struct Price {
    std::string meter = "input_tokens";  // or "output_tokens", "training_tokens", "rows" (of tables)
    std::string model;                   // the base model it is for; empty: all without a price of their own
    Micros amount;
    std::int64_t per = 1000;
};

// What a tenant agreed to. A version never changes; a new price is a new version.
struct Plan {
    std::string code;
    std::int64_t version = 1;
    std::string currency = "USD";  // ISO 4217
    Micros credit_limit;           // hard: what is owed and held together never passes it
    std::vector<Price> prices;
};

// "default", version 1: pay per use, 0.02 USD per 1,000 input tokens, 0.06 USD per 1,000 output tokens, 0.008 USD per
// 1,000 tokens that tuning learns from, 0.10 USD per 1,000 rows of tables; credit limit 100 USD. Migrations put it in.
inline constexpr std::string_view default_plan = "default";

// The newest version of a plan; not_found, reason "plan_not_found".
Result<Plan> find_plan(store::Session& session, std::string_view code);

// Adds the next version of `plan.code` (the version in `plan` is ignored). Who is on an earlier version stays there
// until set_plan. invalid_argument for an unknown currency, no price, a price or limit below zero.
Result<Plan> add_plan_version(store::Session& session, Plan plan, Timestamp now);

// Opens the books of a new tenant on the newest version of a plan: its receivable account (what it owes).
// already_exists if they are open.
Result<void> open_books(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now);

// Moves a tenant to the newest version of a plan from now on; prices and limit follow with the next request.
// conflict if the plan's currency is another.
Result<void> set_plan(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now);

// What a tenant owes and has on hold.
struct Balance {
    std::string currency;
    std::string plan;  // "default v1"
    Micros owed;       // posted
    Micros held;       // pending reservations
    Micros limit;
};
Result<Balance> balance(store::Session& session, const TenantId& tenant);

// Decimals of a currency's minor unit (ISO 4217: USD 2, JPY 0, KWD 3); invalid_argument for one we do not know.
Result<int> minor_decimals(std::string_view currency);

}  // namespace rootstock::ledger
