#pragma once
// What is in the shop window: plans that anybody may see and, where they begin with a trial, sign up for. An offer
// names a plan by its code and always means its newest version; a plan without one is sold by hand only.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/plan.h"
#include "store/store.h"

namespace rootstock::ledger {

struct Offer {
    std::string plan{};         // the code
    std::int64_t position = 0;  // lowest first, then by code
    std::string name_zh{};      // where it has another name in Chinese; the plan's own is English
    std::string summary{}, summary_zh{};
    Timestamp changed{};
};

// Puts a plan into the window or changes what is said of it. not_found for the plan; invalid_argument for a position
// outside 0..1000000 or a text above 500 bytes.
Result<Offer> put_offer(store::Session& session, Offer offer, Timestamp now);
// not_found, reason "offer_not_found".
Result<Offer> find_offer(store::Session& session, std::string_view plan);
Result<Offer> withdraw_offer(store::Session& session, std::string_view plan);

std::vector<Offer> offers(store::Session& session);  // as they are shown; at most offers_max
inline constexpr std::int64_t offers_max = 100;

// What everybody on the plan pays at an instant: of each meter and model the price that holds.
std::vector<Price> public_prices(const Plan& plan, Timestamp now);

json::object to_json(const Offer& offer);

}  // namespace rootstock::ledger
