#pragma once
// Payments: what a tenant means to pay, through which provider, and what became of every attempt at it.
//
//   payment   open -> succeeded | canceled
//   attempt   see provider_call.h; a payment has at most one that is not ended, so that nobody is charged twice
//   refund    see provider_call.h; together never more than was captured
//
// Amounts are whole minor units of the currency (cents). A payment belongs to an invoice, or is on account: then it
// becomes the tenant's credit (account "refunds"), which the next invoices use up. Everything that follows from a
// success (captured, the invoice's state, transfers, the event for webhooks) is written in its transaction.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "ledger/provider_call.h"
#include "store/store.h"

namespace rootstock::ledger {

struct PaymentTag {
    static constexpr const char* prefix = "pay";
};
struct AttemptTag {
    static constexpr const char* prefix = "pat";
};
struct RefundTag {
    static constexpr const char* prefix = "ref";
};
using PaymentId = Id<PaymentTag>;
using AttemptId = Id<AttemptTag>;
using RefundId = Id<RefundTag>;

enum class PaymentState { open, succeeded, canceled };
const char* name(PaymentState state);

struct Payment {
    PaymentId id{};
    TenantId tenant{};
    InvoiceId invoice{};     // empty: on account
    std::string provider{};  // "stripe", "bank_transfer"
    std::string method{};    // the provider's word for a saved means of payment; empty: the payer chooses one
    std::int64_t amount = 0;
    std::string currency{};
    std::int64_t captured = 0, refunded = 0;  // refunds under way counted
    PaymentState state = PaymentState::open;
    Timestamp created{};
    std::int64_t version = 1;
};

struct Attempt {
    AttemptId id{};  // the provider's idempotency key
    PaymentId payment{};
    TenantId tenant{};
    CallState state = CallState::created;
    std::string ref{};    // the provider's word for it, once it is known
    std::string error{};  // why it failed, one word
    Timestamp created{}, changed{};
};

struct Refund {
    RefundId id{};
    PaymentId payment{};
    TenantId tenant{};
    std::int64_t amount = 0;
    std::string reason{}, credit_note{};
    CallState state = CallState::created;
    std::string ref{}, error{};
    Timestamp created{}, changed{};
};

// What payments need of invoices.
struct Owed {
    TenantId tenant;
    std::string currency;
    std::int64_t amount = 0;  // still to be paid; 0: it takes no money
};
struct InvoiceDesk {
    std::function<Result<Owed>(store::Session&, const InvoiceId&)> find;
    // Money came: books it, once for each reference.
    std::function<Result<void>(store::Session&, const InvoiceId&, std::int64_t, const std::string& ref, Timestamp)>
        settle;
    // The money of a credit note went back: books it, once.
    std::function<Result<void>(store::Session&, const std::string& credit_note, const std::string& ref, Timestamp)>
        refunded;
};

struct PaymentOrder {
    TenantId tenant{};
    InvoiceId invoice{};
    std::string provider{}, method{};
    std::int64_t amount = 0;  // 0: all that the invoice leaves
    std::string currency{};   // needed without an invoice
};

// invalid_argument, param "amount" or "currency"; not_found for a stranger's invoice; conflict, reason "payment_open",
// while another payment of the invoice is under way, "invoice_state" when it takes no money.
Result<Payment> open_payment(store::Session& session, const PaymentOrder& order, const InvoiceDesk& desk,
                             Timestamp now);
// open -> canceled, while no attempt is under way (conflict, reason "attempt_open" or "payment_state").
Result<Payment> cancel_payment(store::Session& session, const PaymentId& payment, Timestamp now);

// conflict, reason "payment_state" unless open, "attempt_open" while another is not ended.
Result<Attempt> begin_attempt(store::Session& session, const PaymentId& payment, Timestamp now);

struct CallEnd {
    std::string ref{};                     // kept once known
    std::string error{};                   // one word
    std::optional<std::int64_t> amount{};  // that moved, where the provider says; another than ours is `corrupt`
};
// conflict, reason "attempt_state", for an illegal step. The effects of a success happen once.
Result<Attempt> step(store::Session& session, const AttemptId& attempt, CallEvent event, const CallEnd& end,
                     const InvoiceDesk& desk, Timestamp now);
// It was heard of and goes on; `ref` is what the provider calls it.
void note_attempt(store::Session& session, const AttemptId& attempt, const std::string& ref, Timestamp now);
void note_refund(store::Session& session, const RefundId& refund, const std::string& ref, Timestamp now);

// Takes the amount from what is left to refund, in the same statement that looks at it: conflict, reason
// "above_captured", beyond. invalid_argument, param "credit_note", for an invoice's payment without one.
Result<Refund> open_refund(store::Session& session, const PaymentId& payment, std::int64_t amount,
                           std::string_view reason, std::string_view credit_note, Timestamp now);
// conflict, reason "refund_state". A refund that failed gives its amount back to what is left.
Result<Refund> step_refund(store::Session& session, const RefundId& refund, CallEvent event, const CallEnd& end,
                           const InvoiceDesk& desk, Timestamp now);

// not_found, reason "payment_not_found", "attempt_not_found", "refund_not_found": a stranger's sounds like none.
Result<Payment> find_payment(store::Session& session, const std::optional<TenantId>& only, std::string_view id);
Result<Attempt> find_attempt(store::Session& session, std::string_view id_or_ref);
Result<Refund> find_refund(store::Session& session, const std::optional<TenantId>& only, std::string_view id_or_ref);
std::vector<Payment> list_payments(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                   std::int64_t limit);
std::vector<Refund> list_refunds(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                 std::int64_t limit);
std::vector<Attempt> attempts_of(store::Session& session, const PaymentId& payment);  // oldest first

// Calls of a provider that have not ended: unknown ones last heard of before `unknown_before`, others before
// `sent_before`.
struct Overdue {
    std::string provider;
    Timestamp unknown_before, sent_before;
    std::int64_t limit = 20;
};
std::vector<Attempt> open_attempts(store::Session& session, const Overdue& overdue);
std::vector<Refund> open_refunds(store::Session& session, const Overdue& overdue);

// Who a tenant is at a provider.
std::optional<std::string> customer_of(store::Session& session, const TenantId& tenant, std::string_view provider);
void remember_customer(store::Session& session, const TenantId& tenant, std::string_view provider, std::string_view ref,
                       Timestamp now);

// Claims a provider's event, in the transaction of its effect; false when it was claimed before.
bool claim_event(store::Session& session, std::string_view provider, std::string_view event, Timestamp now);

const char* payment_tables();

}  // namespace rootstock::ledger
