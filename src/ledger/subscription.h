#pragma once
// Subscriptions: which plan a tenant is on, in which state, and what comes next.
//
//   trial -> active | suspended | canceled
//   active -> past_due (a payment failed) | canceled
//   past_due -> active | suspended (dunning gave up) | canceled
//   suspended -> active (it paid, or there is a way to pay now) | canceled
//
// Every other step is a `conflict` that names the state, reason "subscription_state". Requests are served in trial,
// active and past_due. A trial ends by itself: in active when the tenant can be billed, else in suspended; the day it
// ends on is the anchor of its periods. A change to a plan that costs as much or more holds at once, for the days that
// are left; to a cheaper one, and to one of another period, when the period ends. Who cancels keeps what the period was
// paid for.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/charges.h"
#include "ledger/plan.h"
#include "ledger/zone.h"
#include "store/store.h"

namespace rootstock::ledger {

enum class SubscriptionState { trial, active, past_due, suspended, canceled };
const char* name(SubscriptionState state);

// conflict, reason "subscription_state".
Result<void> check_step(SubscriptionState from, SubscriptionState to);

struct Subscription {
    std::string id{};
    TenantId tenant{};
    std::string plan{};
    std::int64_t plan_version = 1;
    SubscriptionState state = SubscriptionState::active;
    std::string account{};  // the receivable
    std::string timezone = "UTC";
    Date anchor{};
    int months = 1;       // of its plan
    bool payable = true;  // can it be billed: by invoice, or a provider that has a payment method
    Timestamp started{};
    std::optional<Timestamp> ended{}, trial_end{}, past_due{}, cancel_at{}, change_at{};
    std::string change_plan{};  // what it goes on with at change_at
    std::int64_t change_version = 0;
    std::int64_t version = 1;  // of the row

    Cycle cycle() const { return {timezone, anchor, months}; }
    // The period of the plan that runs at an instant; in a trial, the trial.
    Period period_at(Timestamp now) const;
};

struct SubscriptionOrder {
    TenantId tenant{};
    std::string plan{default_plan};
    std::string timezone = "UTC";
    bool calendar = false;  // periods are calendar months or years, and not counted from the day it began
    bool payable = true;
};

// already_exists, reason "subscription_exists", while one lives; not_found for the plan; invalid_argument for the zone;
// conflict for another currency than the tenant's books have.
Result<Subscription> subscribe(store::Session& session, const SubscriptionOrder& order, Timestamp now);

// not_found, reason "subscription_not_found". `only` nothing: of anybody.
Result<Subscription> find_subscription(store::Session& session, const std::optional<TenantId>& only,
                                       std::string_view id);
// The one that lives, or the last that did; not_found, reason "no_books".
Result<Subscription> subscription_of(store::Session& session, const TenantId& tenant);
std::vector<Subscription> subscriptions(store::Session& session, const std::optional<TenantId>& only,
                                        std::string_view after, std::int64_t limit);

// One step of the state machine: what payments and dunning call. conflict as above.
Result<Subscription> move_to(store::Session& session, const Subscription& subscription, SubscriptionState to,
                             Timestamp now);

// What a change to the newest version of a plan would do now: the same lines that it will be billed.
struct PlanChange {
    Plan plan;
    bool at_once = false;
    Timestamp at;
    std::vector<ChargeLine> lines{};  // of the days that are left; none at the period's end
    std::int64_t amount = 0;          // their sum, in minor units
};
Result<PlanChange> preview_change(store::Session& session, const Subscription& subscription, std::string_view plan,
                                  Timestamp now);
Result<Subscription> change_plan(store::Session& session, const Subscription& subscription, std::string_view plan,
                                 Timestamp now);

// At the period's end (a trial: at its end), or at once.
Result<Subscription> cancel(store::Session& session, const Subscription& subscription, bool at_once, Timestamp now);
// Takes back what is to come, a cancellation or a change; suspended -> active. conflict when there is nothing to
// resume.
Result<Subscription> resume(store::Session& session, const Subscription& subscription, Timestamp now);

// Does what is due: trials that end, cancellations, changes of the plan. Each at its own instant, however late this
// runs. Returns how many.
std::int64_t advance_subscriptions(store::Session& session, Timestamp now);

// The lines of a change on a local day: what is left of the old fee goes back, what is left of the new one is due.
std::vector<ChargeLine> change_lines(const Plan& before, const Plan& after, const Subscription& subscription,
                                     const Period& period, Timestamp at);

}  // namespace rootstock::ledger
