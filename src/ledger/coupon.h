#pragma once
// Coupons: so much per cent, or an amount, off what a customer's periods cost; once, for some months, or for ever.
//
// A coupon never changes but for how often it was redeemed and that it ended. Redeeming it decides from which period of
// the plan up to which it holds: the one that runs (in a trial: the first that is paid for) and those after it. It is a
// line of the invoice of its own, "discount", taken of what fees, usage and a commitment add up to after granted credit
// and before taxes, rounded once; it never takes off more than is there.
//
// The last redemption is given away by one statement that counts it: of two at once, one is refused.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/charges.h"
#include "ledger/period.h"
#include "store/store.h"

namespace rootstock::ledger {

struct Coupon {
    std::string code{};                      // capitals, digits and hyphens; typed in any case
    std::int64_t basis_points = 0;           // 2500: 25 % off; 0: an amount
    std::int64_t amount = 0;                 // off each period, in minor units of `currency`
    std::string currency{};                  // of an amount; a percentage has none
    std::optional<std::int64_t> months{};    // 1: the first period only ("once"); nothing: for ever
    std::vector<std::string> plans{};        // codes; none: every plan
    std::optional<Timestamp> valid_until{};  // can be redeemed before
    std::optional<std::int64_t> redemptions_max{};
    std::int64_t redeemed = 0;
    std::optional<Timestamp> ended{};
    Timestamp created{};
};

struct Redemption {
    std::string id{}, coupon{};
    TenantId tenant{};
    Timestamp from{};                  // periods that begin from here on
    std::optional<Timestamp> until{};  // and before this
    Timestamp redeemed{};
};

// invalid_argument, naming the field: a code of another shape or above 40 characters, neither a percentage nor an
// amount or both, a currency that is unknown or not wanted. already_exists, reason "coupon_exists".
Result<Coupon> add_coupon(store::Session& session, Coupon coupon, Timestamp now);
// not_found, reason "coupon_not_found".
Result<Coupon> find_coupon(store::Session& session, std::string_view code);
// Cannot be redeemed any more; who has it keeps it.
Result<Coupon> end_coupon(store::Session& session, std::string_view code, Timestamp now);
std::vector<Coupon> coupons(store::Session& session, std::string_view after, std::int64_t limit);

// not_found for the coupon, also one that is over, used up, or not for this plan or currency (reason
// "coupon_not_found": strangers learn nothing); conflict, reason "coupon_running", while another holds, or when the
// tenant had this one before.
Result<Redemption> redeem(store::Session& session, const TenantId& tenant, std::string_view code, Timestamp now);
std::vector<Redemption> redemptions(store::Session& session, const std::optional<TenantId>& tenant,
                                    std::string_view after, std::int64_t limit);

// The line of a period, of what its other lines add up to; nothing without a coupon that holds. `plan`: the one that
// the period ends with.
std::optional<ChargeLine> discount_line(store::Session& session, const TenantId& tenant, const std::string& plan,
                                        const Period& period, std::int64_t sum, const std::string& currency,
                                        int decimals);

json::object to_json(const Coupon& coupon);
json::object to_json(const Redemption& redemption);
Result<Coupon> read_coupon(const json::value& value, std::string_view what);  // what the API and the commands take

}  // namespace rootstock::ledger
