#pragma once
// The seam to those who move money. A provider is called on a thread that may wait; what it was told and what it
// answered is written down by the cashier (cashier.h), never by the provider.

#include <optional>
#include <string>

#include "base/base.h"
#include "ledger/ledger.h"

namespace rootstock::pay {

// How a call ended, or what is known of it.
struct Outcome {
    enum class Kind {
        succeeded,  // the money moved
        failed,     // it did not, and this call will not move it any more
        pending,    // it goes on at the provider
        unknown,    // no answer, or one that does not say
        absent,     // of a query: the provider has never heard of it
    };
    Kind kind = Kind::unknown;
    std::string ref{};                     // the provider's word for it
    std::string error{};                   // one word: why it failed
    std::optional<std::int64_t> amount{};  // that moved
    // For the payer alone, told once and never kept: what the payer's page needs (Stripe's client_secret), or the
    // reference to write on a bank transfer.
    std::string for_payer{};
};

struct Charge {
    ledger::Payment payment;
    ledger::Attempt attempt;  // its id is the idempotency key
    std::string customer;     // at the provider; may be empty
};
struct Return {
    ledger::Payment payment;
    ledger::Refund refund;  // its id is the idempotency key
    std::string charge;     // the provider's word for what is given back
};

// What a webhook says happened, before anything in it is believed: which of our calls to ask about.
struct Notice {
    std::string event;  // the provider's id for it
    enum class About { attempt, refund, nothing } about = About::nothing;
    std::string ref;  // the provider's word for the call
};

class Provider {
public:
    virtual ~Provider() = default;
    virtual const char* name() const = 0;
    // Can it be asked what became of a call? Otherwise a person says so.
    virtual bool can_be_asked() const = 0;
    // The customer's id at the provider; "" where it keeps none. Asked twice it is the same.
    virtual Result<std::string> customer(const TenantId& tenant, const std::string& name) = 0;
    virtual Outcome charge(const Charge& charge) = 0;
    virtual Outcome look(const Charge& charge) = 0;
    virtual Outcome give_back(const Return& wanted) = 0;
    virtual Outcome look(const Return& wanted) = 0;
    // unauthenticated: the signature is missing, wrong or too old; invalid_argument: signed, but not understood.
    virtual Result<Notice> read_notice(const std::string& signature, const std::string& body, Timestamp now) = 0;
};

}  // namespace rootstock::pay
