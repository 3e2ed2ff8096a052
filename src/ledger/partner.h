#pragma once
// Partners who bring customers, and what they earn by it.
//
// A customer is attributed to at most one partner, the first whose code it came with; the rule stands on the row. Of
// each invoice that such a customer has paid, the partner earns its rate of the sum without taxes and without what
// credit notes took back. advance_commissions() books the difference between what is earned and what was booked so far,
// whichever way it goes, so that a full credit reverses the commission to the unit and a repetition books nothing. A
// commission is paid out when its hold is over; a reversal counts at once.
//
// What the house owes a partner is an account of the partner's own, "commission_payable", under its id.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

struct Partner {
    std::string id{};
    std::string code{};             // as it stands in links: ?ref=CODE; letters, digits, hyphens, 3 to 40 of them
    std::string name{}, email{};    // who is paid
    std::int64_t basis_points = 0;  // of what its customers paid
    std::int64_t hold_days = 30;    // until it can be paid out
    std::int64_t months = 0;        // of invoices after the customer came; 0: all
    TenantId tenant{};              // when it is a customer itself; empty: it is not
    std::optional<Timestamp> ended{};
    Timestamp created{};
};

struct Attribution {
    TenantId tenant{};
    std::string partner{};      // its id
    std::string rule{"first"};  // the first touch stays
    std::string evidence{};     // "sign-up", "by hand"
    Timestamp attributed{};
    std::optional<Timestamp> until{};
};

// One row of a partner's statement: above zero earned, below zero taken back.
struct Commission {
    std::string id{}, partner{};
    TenantId tenant{};
    InvoiceId invoice{};
    std::string currency{};
    std::int64_t amount = 0;  // minor units
    Timestamp booked{}, hold_until{};
    std::string payout{};  // empty: not paid out yet
};

struct Payout {
    std::string id{}, partner{}, currency{}, reference{};  // reference: the bank's word for it
    std::int64_t amount = 0;
    Timestamp paid{};
};

// What a partner has in one currency, in minor units.
struct PartnerBalance {
    std::string currency{};
    std::int64_t held = 0, due = 0, paid = 0;
};

// invalid_argument, naming the field; already_exists, reason "partner_exists", for a code that is taken.
Result<Partner> add_partner(store::Session& session, Partner partner, Timestamp now);
// By code or id; not_found, reason "partner_not_found".
Result<Partner> find_partner(store::Session& session, std::string_view code_or_id);
// Brings no one any more; what was earned, and what its customers go on paying, stays its own.
Result<Partner> end_partner(store::Session& session, std::string_view code_or_id, Timestamp now);
std::vector<Partner> partners(store::Session& session, std::string_view after, std::int64_t limit);

// `owner_email`: whoever signs up. conflict, reason "attributed", for a customer that has a partner; invalid_argument,
// reason "self_referral", for the partner itself; not_found for a partner that has ended.
Result<Attribution> attribute(store::Session& session, const TenantId& tenant, std::string_view code_or_id,
                              std::string_view owner_email, std::string_view evidence, Timestamp now);
std::optional<Attribution> attribution_of(store::Session& session, const TenantId& tenant);
std::vector<Attribution> attributions(store::Session& session, const std::string& partner, std::string_view after,
                                      std::int64_t limit);

// Books what was earned or taken back since; returns how many rows.
std::int64_t advance_commissions(store::Session& session, Timestamp now);

std::vector<Commission> commissions(store::Session& session, const std::string& partner, std::string_view after,
                                    std::int64_t limit);
std::vector<PartnerBalance> partner_balances(store::Session& session, const std::string& partner, Timestamp now);

// All that is due in one currency. conflict, reason "nothing_due"; the same reference twice is the same payout.
Result<Payout> pay_out(store::Session& session, const std::string& partner, std::string_view currency,
                       std::string_view reference, Timestamp now);

json::object to_json(const Partner& partner);
json::object to_json(const Attribution& attribution);
json::object to_json(const Commission& commission);
json::object to_json(const Payout& payout);
json::object to_json(const PartnerBalance& balance);
Result<Partner> read_partner(const json::value& value, std::string_view what);

}  // namespace rootstock::ledger
