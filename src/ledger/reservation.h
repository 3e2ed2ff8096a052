#pragma once
// Reserve, post, void: the two phases of a paid request (see ledger.h).

#include <chrono>
#include <cstdint>
#include <string>

#include "base/base.h"
#include "ledger/plan.h"
#include "store/store.h"

namespace rootstock::ledger {

struct ReserveRequest {
    RequestId request;  // minted by the server, the same for reserve, post and void
    TenantId tenant;
    ApiKeyId key;
    std::string model;            // base model name: chooses the price
    std::int64_t tokens_max = 0;  // the most this request can use of what goes in
    Timestamp expires;            // the request's deadline plus a minute
    std::string owner;            // the serving process: see mint_run; jobs_own for what outlives it
    // For what is written, which may be settled without the process that wrote it: see mark_progress.
    std::int64_t output_tokens_max = 0;  // the most that can come out
    std::string operation{}, adapter{};  // as in Settlement
    AdapterId adapter_id{};
    // What tokens_max counts: chooses its price too. Of "rows" usage.rows is charged, else usage.input_tokens.
    std::string meter = "input_tokens";
};

// The owner of reservations of jobs: they go on when the serving process is gone, so void_abandoned passes them by.
inline constexpr std::string_view jobs_own = "jobs";

inline constexpr std::string_view rows_meter = "rows";

struct Hold {
    Micros amount;  // the most that it can be charged at the tenant's prices, which hold whatever happens to them
                    // meanwhile
};

// Holds the price of the most that can be used, in one atomic statement: owed + held + this <= limit.
//   insufficient_quota   reason "insufficient_quota": the limit does not cover it; "allowance_used": a hard allowance
//   of the
//                        plan does not. Nothing is held.
//                        "key_budget_used": the key's budget does not.
//   not_found            reason "no_books": the tenant has no account or no price for the model.
//   permission_denied    reason "no_price": the tenant's plan has no price for output tokens of the model, or for rows;
//                        "subscription_state": the subscription is suspended or canceled.
//   conflict             reason "request_seen": this request id was reserved before.
Result<Hold> reserve(store::Session& session, const ReserveRequest& request, Timestamp now);

// What has been written so far, durably: if this process dies, the request is settled at its last mark (see
// settle_abandoned). A mark behind an earlier one, or of a request that is not open any more, changes nothing.
void mark_progress(store::Session& session, const RequestId& request, std::int64_t output_tokens);

struct Settlement {
    RequestId request;
    std::string operation;        // "classify", "embed", ...
    std::string model;            // base model name
    std::string adapter;          // "name@version", or empty
    Usage usage;                  // usage.compute_micros is the measured share of this request
    AdapterId adapter_id{};       // empty without an adapter; tells apart what bears one name at two tenants
    std::string finish_reason{};  // of what was written: "stop", "length", "client_gone", "server_gone"...
    bool partial = false;         // more was wanted than was written
};

struct Charge {
    Micros amount;
    TransferId transfer;    // empty when the amount is zero
    bool late = false;      // the hold had expired, and the amount was admitted anew
    bool repeated = false;  // this request was posted before; nothing new was booked
};

// Books the usage event and its transfer (tenant's receivable debited, revenue credited) and lets go of the hold.
// After expiry it is admitted anew for the true amount (insufficient_quota if the limit is reached meanwhile).
// What grants cover of it is taken from them (wallet.h). Posting the same request twice books once. conflict, reason
// "voided", after a void; not_found for an unknown request; internal if the usage is above the hold (our own miscount:
// nothing is booked).
Result<Charge> post(store::Session& session, const Settlement& settlement, Timestamp now);

// Lets go of the hold and charges nothing. The compute that was spent all the same is booked as cost.
// Voiding what is already voided or expired is fine; conflict, reason "posted", after a post.
Result<void> void_reservation(store::Session& session, const RequestId& request, std::int64_t compute_micros,
                              Timestamp now);

// Names this run of the program: new for every start. Pass it as owner.
std::string mint_run(Timestamp now);

// Several servers may share these books (PostgreSQL). Each says at its start that it runs, and again every few seconds,
// well within the lease; `place` is what only one of them can hold at a time (a machine and its home), so an earlier
// run of the same place is known to be dead at once. Returns how many others are alive.
inline constexpr std::chrono::seconds run_lease{60};
std::int64_t begin_run(store::Session& session, const std::string& run, const std::string& place, Timestamp now);
void keep_run(store::Session& session, const std::string& run, Timestamp now);
// At a good end, so that nobody waits for the lease.
void end_run(store::Session& session, const std::string& run);

// At start and with every sweep, for every open reservation of runs that are dead (neither this one nor alive, see
// above), which could not settle; those of jobs stay. They return how many.
//   settle_abandoned  those with a progress mark are posted at it: never more than was written
//   void_abandoned    the rest
std::int64_t settle_abandoned(store::Session& session, const std::string& owner, Timestamp now);
std::int64_t void_abandoned(store::Session& session, const std::string& owner, Timestamp now);

// For the sweeper, every few seconds: expires reservations whose time is over. Returns how many.
std::int64_t expire_overdue(store::Session& session, Timestamp now);

// Open reservations of everybody; zero when nothing is running.
struct Open {
    std::int64_t count = 0;
    Micros amount;
};
Open open_reservations(store::Session& session);

}  // namespace rootstock::ledger
