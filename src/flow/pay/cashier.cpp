#include "flow/pay/cashier.h"

namespace rootstock::pay {
namespace {

using ledger::CallEvent;
using ledger::CallState;
using Kind = Outcome::Kind;

Timestamp before(Timestamp now, std::chrono::microseconds by) { return {now.micros - by.count()}; }

// The step that an outcome is; nothing while the call goes on.
std::optional<CallEvent> event_of(const Outcome& outcome) {
    switch (outcome.kind) {
        case Kind::succeeded:
            return CallEvent::succeed;
        case Kind::failed:
            return CallEvent::refuse;
        case Kind::unknown:
            return CallEvent::doubt;
        case Kind::pending:
            return std::nullopt;
        case Kind::absent:
            return CallEvent::doubt;
    }
    return std::nullopt;
}

// What is not there after so long never came.
Outcome judged(Outcome outcome, Timestamp created, Timestamp now) {
    if (outcome.kind == Kind::absent && created < before(now, arrives_within))
        return {Kind::failed, {}, "never_arrived"};
    if (outcome.kind == Kind::absent) outcome.error = "not_seen_yet";
    return outcome;
}

Outcome never_sent() { return {Kind::failed, {}, "never_sent"}; }

}  // namespace

Cashier::Cashier(store::Database& records, Clock& clock, ledger::InvoiceDesk desk, NameOf name_of,
                 std::vector<std::unique_ptr<Provider>> providers)
    : records_(records),
      clock_(clock),
      desk_(std::move(desk)),
      name_of_(std::move(name_of)),
      providers_(std::move(providers)) {}

Result<Provider*> Cashier::provider(std::string_view name) const {
    for (const auto& one : providers_)
        if (name == one->name()) return one.get();
    return fail(ErrorCode::invalid_argument,
                "there is no such provider, or it is not set up (docs/formats/settings-file.md)", "provider",
                "provider_not_found");
}

Result<std::string> Cashier::customer_at(Provider& provider, const TenantId& tenant) {
    std::string name;
    auto known = records_.read([&](store::Session& session) -> Result<std::optional<std::string>> {
        name = name_of_(session, tenant);
        return ledger::customer_of(session, tenant, provider.name());
    });
    if (!known) return fail(known.error());
    if (*known) return **known;
    ROOTSTOCK_TRY(made, provider.customer(tenant, name));
    if (made.empty()) return made;
    return records_.write_now([&](store::Session& session) -> Result<std::string> {
        ledger::remember_customer(session, tenant, provider.name(), made, clock_.now());
        return *ledger::customer_of(session, tenant, provider.name());
    });
}

Result<Charge> Cashier::charge_of(const ledger::Attempt& attempt) {
    return records_.read([&](store::Session& session) -> Result<Charge> {
        ROOTSTOCK_TRY(payment, ledger::find_payment(session, std::nullopt, attempt.payment.text()));
        auto customer = ledger::customer_of(session, payment.tenant, payment.provider);
        return Charge{payment, attempt, customer.value_or("")};
    });
}

Result<Return> Cashier::return_of(const ledger::Refund& refund) {
    return records_.read([&](store::Session& session) -> Result<Return> {
        ROOTSTOCK_TRY(payment, ledger::find_payment(session, std::nullopt, refund.payment.text()));
        Return wanted{payment, refund, {}};
        for (const auto& attempt : ledger::attempts_of(session, payment.id))
            if (attempt.state == CallState::succeeded) wanted.charge = attempt.ref;
        return wanted;
    });
}

Result<ledger::Attempt> Cashier::settle(store::Session& session, const ledger::Attempt& attempt,
                                        const Outcome& outcome) {
    const auto now = clock_.now();
    if (auto event = event_of(outcome))
        return ledger::step(session, attempt.id, *event, {outcome.ref, outcome.error, outcome.amount}, desk_, now);
    ledger::note_attempt(session, attempt.id, outcome.ref, now);
    return ledger::find_attempt(session, attempt.id.text());
}

Result<ledger::Refund> Cashier::settle(store::Session& session, const ledger::Refund& refund, const Outcome& outcome) {
    const auto now = clock_.now();
    if (auto event = event_of(outcome))
        return ledger::step_refund(session, refund.id, *event, {outcome.ref, outcome.error, outcome.amount}, desk_,
                                   now);
    ledger::note_refund(session, refund.id, outcome.ref, now);
    return ledger::find_refund(session, std::nullopt, refund.id.text());
}

Result<Cashier::Taken> Cashier::pay(const ledger::PaymentId& id) {
    auto payment =
        records_.read([&](store::Session& session) { return ledger::find_payment(session, std::nullopt, id.text()); });
    if (!payment) return fail(payment.error());
    ROOTSTOCK_TRY(with, provider(payment->provider));
    ROOTSTOCK_CHECKED(customer_at(*with, payment->tenant));
    ROOTSTOCK_TRY(begun, records_.write_now([&](store::Session& session) -> Result<ledger::Attempt> {
        return ledger::begin_attempt(session, id, clock_.now());
    }));
    ROOTSTOCK_TRY(sent, records_.write_now([&](store::Session& session) -> Result<ledger::Attempt> {
        return ledger::step(session, begun.id, CallEvent::send, {}, desk_, clock_.now());
    }));
    ROOTSTOCK_TRY(charge, charge_of(sent));
    const auto outcome = with->charge(charge);
    return records_.write_now([&](store::Session& session) -> Result<Taken> {
        ROOTSTOCK_TRY(attempt, settle(session, sent, outcome));
        ROOTSTOCK_TRY(now_paid, ledger::find_payment(session, std::nullopt, id.text()));
        return Taken{now_paid, attempt, outcome.for_payer};
    });
}

Result<ledger::Refund> Cashier::give_back(const ledger::RefundId& id) {
    auto sent = records_.write_now([&](store::Session& session) -> Result<ledger::Refund> {
        return ledger::step_refund(session, id, CallEvent::send, {}, desk_, clock_.now());
    });
    if (!sent) return fail(sent.error());
    ROOTSTOCK_TRY(wanted, return_of(*sent));
    ROOTSTOCK_TRY(with, provider(wanted.payment.provider));
    const auto outcome = with->give_back(wanted);
    return records_.write_now([&](store::Session& session) { return settle(session, *sent, outcome); });
}

namespace {

std::unexpected<Error> can_tell_itself(const Provider& provider) {
    return fail(ErrorCode::conflict, std::string(provider.name()) + " says itself whether money moved", {},
                "not_by_hand");
}

}  // namespace

Result<ledger::Payment> Cashier::confirm(store::Session& session, const ledger::Payment& payment,
                                         const std::string& ref) {
    ROOTSTOCK_TRY(with, provider(payment.provider));
    if (with->can_be_asked()) return can_tell_itself(*with);
    for (const auto& attempt : ledger::attempts_of(session, payment.id))
        if (!ledger::is_final(attempt.state)) {
            ROOTSTOCK_CHECKED(
                ledger::step(session, attempt.id, CallEvent::succeed, {ref, "", {}}, desk_, clock_.now()));
            return ledger::find_payment(session, std::nullopt, payment.id.text());
        }
    return fail(ErrorCode::conflict, std::string("this payment is ") + ledger::name(payment.state), {},
                "payment_state");
}

Result<ledger::Refund> Cashier::confirm(store::Session& session, const ledger::Refund& refund, const std::string& ref) {
    ROOTSTOCK_TRY(payment, ledger::find_payment(session, std::nullopt, refund.payment.text()));
    ROOTSTOCK_TRY(with, provider(payment.provider));
    if (with->can_be_asked()) return can_tell_itself(*with);
    return ledger::step_refund(session, refund.id, CallEvent::succeed, {ref, "", {}}, desk_, clock_.now());
}

// With an event: it is claimed in the same transaction, and nothing happens when it was claimed before.
Result<void> Cashier::ask(Provider& provider, const ledger::Attempt& attempt, const std::string& event) {
    ROOTSTOCK_TRY(charge, charge_of(attempt));
    auto outcome = attempt.state == CallState::created ? never_sent() : provider.look(charge);
    if (!event.empty() && outcome.kind == Kind::unknown)
        return fail(ErrorCode::unavailable, std::string(provider.name()) + " does not answer: send the event again");
    outcome = judged(std::move(outcome), attempt.created, clock_.now());
    return records_.write_now([&](store::Session& session) -> Result<void> {
        if (!event.empty() && !ledger::claim_event(session, provider.name(), event, clock_.now())) return {};
        ROOTSTOCK_TRY(fresh, ledger::find_attempt(session, attempt.id.text()));
        if (ledger::is_final(fresh.state)) return {};  // settled meanwhile
        ROOTSTOCK_CHECKED(settle(session, fresh, outcome));
        return {};
    });
}

Result<void> Cashier::ask(Provider& provider, const ledger::Refund& refund, const std::string& event) {
    ROOTSTOCK_TRY(wanted, return_of(refund));
    auto outcome = refund.state == CallState::created ? never_sent() : provider.look(wanted);
    if (!event.empty() && outcome.kind == Kind::unknown)
        return fail(ErrorCode::unavailable, std::string(provider.name()) + " does not answer: send the event again");
    outcome = judged(std::move(outcome), refund.created, clock_.now());
    return records_.write_now([&](store::Session& session) -> Result<void> {
        if (!event.empty() && !ledger::claim_event(session, provider.name(), event, clock_.now())) return {};
        ROOTSTOCK_TRY(fresh, ledger::find_refund(session, std::nullopt, refund.id.text()));
        if (ledger::is_final(fresh.state)) return {};
        ROOTSTOCK_CHECKED(settle(session, fresh, outcome));
        return {};
    });
}

int Cashier::look_after() {
    int asked = 0;
    for (const auto& provider : providers_) {
        if (!provider->can_be_asked()) continue;
        const auto now = clock_.now();
        const ledger::Overdue overdue{provider->name(), before(now, unknown_asked_every),
                                      before(now, sent_asked_every)};
        std::vector<ledger::Refund> refunds;
        auto attempts = records_.read([&](store::Session& session) -> Result<std::vector<ledger::Attempt>> {
            refunds = ledger::open_refunds(session, overdue);
            return ledger::open_attempts(session, overdue);
        });
        if (!attempts) {
            spdlog::warn("payments: {}", attempts.error().message);
            continue;
        }
        const auto note = [&](Result<void> done) {
            ++asked;
            if (!done) spdlog::warn("payments: {}", done.error().message);
        };
        for (const auto& attempt : *attempts) note(ask(*provider, attempt, ""));
        for (const auto& refund : refunds) note(ask(*provider, refund, ""));
    }
    return asked;
}

Result<void> Cashier::take_notice(std::string_view name, const std::string& signature, const std::string& body) {
    ROOTSTOCK_TRY(with, provider(name));
    ROOTSTOCK_TRY(notice, with->read_notice(signature, body, clock_.now()));
    std::optional<ledger::Attempt> attempt;
    std::optional<ledger::Refund> refund;
    ROOTSTOCK_CHECKED(records_.read([&](store::Session& session) -> Result<void> {
        if (notice.about == Notice::About::attempt)
            if (auto found = ledger::find_attempt(session, notice.ref)) attempt = std::move(*found);
        if (notice.about == Notice::About::refund)
            if (auto found = ledger::find_refund(session, std::nullopt, notice.ref)) refund = std::move(*found);
        return {};
    }));
    if (attempt) return ask(*with, *attempt, notice.event);
    if (refund) return ask(*with, *refund, notice.event);
    // Of a call whose name is not known yet (its answer was lost), or of nothing of ours: look_after finds the former.
    return records_.write_now([&](store::Session& session) -> Result<void> {
        ledger::claim_event(session, with->name(), notice.event, clock_.now());
        return {};
    });
}

}  // namespace rootstock::pay
