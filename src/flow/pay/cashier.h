#pragma once
// A payment's journey: the attempt is written down, marked as sent, made, and what came of it is written down with all
// that follows, each step durable before the next. Whatever stays unknown is asked about, by look_after() every few
// seconds or by a webhook, and never repeated.
//
// A webhook's word is not taken: it only says which call to ask the provider about. So their order does not matter, and
// one that comes twice changes nothing; its id is claimed in the transaction of its effect.
//
// Functions wait for the provider and the store: for threads that may.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "flow/pay/provider.h"
#include "store/store.h"

namespace rootstock::pay {

inline constexpr std::chrono::seconds unknown_asked_every{30};
inline constexpr std::chrono::minutes sent_asked_every{5};
// A call that the provider has not heard of for so long never arrived: its own requests end within a minute.
inline constexpr std::chrono::minutes arrives_within{15};

// Names a tenant for the provider.
using NameOf = std::function<std::string(store::Session&, const TenantId&)>;

class Cashier {
public:
    Cashier(store::Database& records, Clock& clock, ledger::InvoiceDesk desk, NameOf name_of,
            std::vector<std::unique_ptr<Provider>> providers);

    const ledger::InvoiceDesk& desk() const { return desk_; }
    // invalid_argument, param "provider": no such, or it is not set up.
    Result<Provider*> provider(std::string_view name) const;

    struct Taken {
        ledger::Payment payment;
        ledger::Attempt attempt;
        std::string for_payer;  // see Outcome
    };
    // Begins an attempt and makes it. conflict, reason "attempt_open" or "payment_state".
    Result<Taken> pay(const ledger::PaymentId& payment);
    // Makes a refund that was opened; one that is on its way already is left alone.
    Result<ledger::Refund> give_back(const ledger::RefundId& refund);
    // A person saw the money of a payment or refund move. conflict where the provider can be asked itself.
    Result<ledger::Payment> confirm(store::Session& session, const ledger::Payment& payment, const std::string& ref);
    Result<ledger::Refund> confirm(store::Session& session, const ledger::Refund& refund, const std::string& ref);

    // Asks about everything that has not ended. Returns how many calls it asked about.
    int look_after();
    // A provider's webhook. Errors of read_notice; unavailable: ask again later.
    Result<void> take_notice(std::string_view provider, const std::string& signature, const std::string& body);

private:
    Result<Charge> charge_of(const ledger::Attempt& attempt);
    Result<Return> return_of(const ledger::Refund& refund);
    Result<ledger::Attempt> settle(store::Session& session, const ledger::Attempt& attempt, const Outcome& outcome);
    Result<ledger::Refund> settle(store::Session& session, const ledger::Refund& refund, const Outcome& outcome);
    Result<void> ask(Provider& provider, const ledger::Attempt& attempt, const std::string& event);
    Result<void> ask(Provider& provider, const ledger::Refund& refund, const std::string& event);
    Result<std::string> customer_at(Provider& provider, const TenantId& tenant);

    store::Database& records_;
    Clock& clock_;
    ledger::InvoiceDesk desk_;
    NameOf name_of_;
    std::vector<std::unique_ptr<Provider>> providers_;
};

}  // namespace rootstock::pay
