#pragma once
// Plans as JSON: what the API and `rootstock plan add` take and tell (docs/formats/plans.md). Amounts are decimal
// strings.

#include "base/base.h"
#include "ledger/plan.h"

namespace rootstock::ledger {

json::object to_json(const Price& price);
json::object to_json(const Plan& plan);

// invalid_argument, naming the field. Only what a caller may say is read; an unknown field is refused.
Result<Price> read_price(const json::value& value, std::string_view what);
Result<Plan> read_plan(const json::value& value, std::string_view what);
Result<Plan> parse_plan(std::string_view text, std::string_view what);

}  // namespace rootstock::ledger
