#pragma once
// Migrations 70 to 73: plans with fees and price books, subscriptions, what a request is rated by, and grants.

#include <string>

namespace rootstock::ledger {

std::string plan_tables();          // 70; without its triggers
std::string subscription_tables();  // 71
std::string rating_tables();        // 72
std::string grant_tables();         // 73

}  // namespace rootstock::ledger
