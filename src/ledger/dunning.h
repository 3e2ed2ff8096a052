#pragma once
// Dunning: what happens to an open invoice after its due date. Days 0, 1, 3, 7 remind (with day 0 the subscription is
// past due), day 14 suspends, day 30 cancels. A timer calls run_dunning(); each step of an invoice is taken once, by
// the row (invoice, step) that it writes. Steps that were missed meanwhile are written as skipped and only the last one
// is taken, so that nobody gets four letters after a quiet week. An invoice that is paid, void or uncollectible gets
// none.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

struct DunningEvent {
    InvoiceId invoice;
    TenantId tenant;
    std::string subscription;
    std::int64_t step = 0;  // 0..5
    std::int64_t day = 0;   // after the due date
    std::string action;     // "remind", "suspend", "cancel"
    bool skipped = false;
    Timestamp taken;
};

// What a step does elsewhere (the subscription's state, a mail in the outbox), in the same transaction: if it fails,
// the step was not taken.
using DunningHandIn = std::function<Result<void>(store::Session&, const DunningEvent&)>;

// Takes what is due, of at most `invoices_max` invoices a call; returns what was taken, without the skipped.
Result<std::vector<DunningEvent>> run_dunning(store::Session& session, Timestamp now, const DunningHandIn& hand_in,
                                              std::int64_t invoices_max = 100);

// All steps of an invoice so far.
std::vector<DunningEvent> dunning_of(store::Session& session, const InvoiceId& invoice);

}  // namespace rootstock::ledger
