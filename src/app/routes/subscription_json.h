#pragma once
// Subscriptions, grants and quotas as the API and the commands tell them. Amounts are decimal strings.

#include "base/base.h"
#include "ledger/ledger.h"

namespace rootstock {

json::object to_json(const ledger::Subscription& subscription, Timestamp now);
json::object to_json(const ledger::PlanChange& change);
json::object to_json(const ledger::Grant& grant);
json::object to_json(const ledger::Quota& quota);

}  // namespace rootstock
