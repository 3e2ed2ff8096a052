#pragma once
// The tables of what brings customers, and their triggers.

#include <string>

namespace rootstock::ledger {

std::string offer_tables();    // migration 140
std::string coupon_tables();   // 142
std::string partner_tables();  // 143

}  // namespace rootstock::ledger
