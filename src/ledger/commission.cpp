// What partners earn, as rows and in the books. See partner.h.

#include "ledger/accounts.h"
#include "ledger/calendar.h"
#include "ledger/partner.h"
#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

// A paid invoice of a partner's customer: what is earned by it now, and what was booked so far.
struct Earned {
    InvoiceId invoice;
    TenantId tenant;
    std::string currency;
    std::int64_t subtotal = 0;
    Timestamp paid;
    std::string partner;
    std::int64_t basis_points = 0, hold_days = 0, credited = 0, booked = 0, entries = 0;

    std::int64_t due() const {
        return rate(std::max<std::int64_t>(subtotal - credited, 0), Micros{basis_points}, 10'000).value;
    }
};

std::vector<Earned> earned(store::Session& session) {
    std::vector<Earned> all;
    session.for_each<InvoiceId, TenantId, std::string, std::int64_t, Timestamp, std::string, std::int64_t, std::int64_t,
                     std::int64_t, std::int64_t, std::int64_t>(
        "SELECT i.id, i.tenant_id, i.currency, i.subtotal, i.closed_at, p.id, p.basis_points, p.hold_days, "
        "CAST(COALESCE(n.amount, 0) AS BIGINT), CAST(COALESCE(c.amount, 0) AS BIGINT), COALESCE(c.entries, 0) FROM "
        "attribution a JOIN partner p ON p.id = a.partner_id JOIN invoice i ON i.tenant_id = a.tenant_id "
        "LEFT JOIN (SELECT invoice_id, SUM(amount) AS amount FROM credit_note GROUP BY invoice_id) n ON n.invoice_id = "
        "i.id LEFT JOIN (SELECT invoice_id, SUM(amount) AS amount, COUNT(*) AS entries FROM commission GROUP BY "
        "invoice_id) c ON c.invoice_id = i.id WHERE i.status = 'paid' AND i.issued_at >= a.attributed_at AND "
        "(a.until_at IS NULL OR i.issued_at < a.until_at) ORDER BY i.id",
        [&](auto... columns) { all.push_back({std::move(columns)...}); });
    return all;
}

std::string payable(store::Session& session, const std::string& partner, const std::string& currency, Timestamp now) {
    return open_account(session, TenantId(partner), "commission_payable", currency, std::nullopt, now);
}

Micros exact(std::int64_t minor, const std::string& currency) {
    return rate(minor, Micros{per_minor(minor_decimals(currency).value())}, 1);
}

void enter(store::Session& session, const Earned& one, std::int64_t amount, Timestamp now) {
    const bool back = amount < 0;
    const auto id = mint_id("com", now);
    const Timestamp hold = back ? now : Timestamp{one.paid.micros + one.hold_days * micros_per_day};
    session.execute(
        "INSERT INTO commission (id, partner_id, tenant_id, invoice_id, number, currency, amount, booked_at, "
        "hold_until, payout_id) VALUES (:id, :partner, :tenant, :invoice, :number, :currency, :amount, :now, :hold, "
        "'')",
        id, one.partner, one.tenant, one.invoice, one.entries + 1, one.currency, amount, now, hold);
    const auto revenue = open_account(session, TenantId(), "revenue", one.currency, std::nullopt, now);
    const auto owed = payable(session, one.partner, one.currency, now);
    book(session,
         {back ? owed : revenue, back ? revenue : owed, exact(back ? -amount : amount, one.currency), one.currency,
          back ? "commission_reversal" : "commission", "commission", id},
         now);
}

std::optional<Payout> known_payout(store::Session& session, const std::string& partner, std::string_view currency,
                                   std::string_view reference) {
    auto row = session.first<std::string, std::int64_t, Timestamp>(
        "SELECT id, amount, paid_at FROM payout WHERE partner_id = :partner AND currency = :currency AND reference = "
        ":reference",
        partner, currency, reference);
    if (!row) return std::nullopt;
    const auto& [id, amount, paid] = *row;
    return Payout{id, partner, std::string(currency), std::string(reference), amount, paid};
}

}  // namespace

std::int64_t advance_commissions(store::Session& session, Timestamp now) {
    std::int64_t done = 0;
    for (const Earned& one : earned(session)) {
        const std::int64_t amount = one.due() - one.booked;
        if (amount == 0) continue;
        enter(session, one, amount, now);
        ++done;
    }
    return done;
}

std::vector<Commission> commissions(store::Session& session, const std::string& partner, std::string_view after,
                                    std::int64_t limit) {
    std::vector<Commission> found;
    session.for_each<std::string, std::string, TenantId, InvoiceId, std::string, std::int64_t, Timestamp, Timestamp,
                     std::string>(
        "SELECT id, partner_id, tenant_id, invoice_id, currency, amount, booked_at, hold_until, payout_id FROM "
        "commission WHERE partner_id = :partner AND id > :after ORDER BY id LIMIT :limit",
        [&](auto... columns) { found.push_back({std::move(columns)...}); }, partner, after, limit);
    return found;
}

std::vector<PartnerBalance> partner_balances(store::Session& session, const std::string& partner, Timestamp now) {
    std::vector<PartnerBalance> balances;
    session.for_each<std::string, std::int64_t, std::int64_t, std::int64_t>(
        "SELECT currency, CAST(SUM(CASE WHEN payout_id = '' AND hold_until > :now THEN amount ELSE 0 END) AS BIGINT), "
        "CAST(SUM(CASE WHEN payout_id = '' AND hold_until <= :same THEN amount ELSE 0 END) AS BIGINT), "
        "CAST(SUM(CASE WHEN payout_id <> '' THEN amount ELSE 0 END) AS BIGINT) FROM commission WHERE partner_id = "
        ":partner GROUP BY currency ORDER BY currency",
        [&](auto... columns) { balances.push_back({std::move(columns)...}); }, now, now, partner);
    return balances;
}

Result<Payout> pay_out(store::Session& session, const std::string& partner, std::string_view currency,
                       std::string_view reference, Timestamp now) {
    ROOTSTOCK_TRY(found, find_partner(session, partner));
    if (reference.empty() || reference.size() > 255)
        return fail(ErrorCode::invalid_argument, "a payout is named in 1 to 255 bytes", "reference");
    if (auto known = known_payout(session, found.id, currency, reference)) return std::move(*known);
    std::int64_t due = 0;
    for (const PartnerBalance& balance : partner_balances(session, found.id, now))
        if (balance.currency == currency) due = balance.due;
    if (due <= 0)
        return fail(ErrorCode::conflict, "nothing is due to this partner in " + std::string(currency) + " now",
                    "currency", "nothing_due");
    Payout payout{mint_id("pyo", now), found.id, std::string(currency), std::string(reference), due, now};
    session.execute(
        "INSERT INTO payout (id, partner_id, currency, amount, reference, paid_at) VALUES (:id, :partner, :currency, "
        ":amount, :reference, :now)",
        payout.id, payout.partner, payout.currency, payout.amount, payout.reference, now);
    session.execute(
        "UPDATE commission SET payout_id = :payout WHERE partner_id = :partner AND currency = :currency AND payout_id "
        "= '' AND hold_until <= :now",
        payout.id, payout.partner, payout.currency, now);
    const auto cash = open_account(session, TenantId(), "cash_clearing", payout.currency, std::nullopt, now);
    book(session,
         {payable(session, found.id, payout.currency, now), cash, exact(due, payout.currency), payout.currency,
          "commission_payout", "payout", payout.id},
         now);
    return payout;
}

json::object to_json(const Commission& commission) {
    return {{"id", commission.id},
            {"tenant", commission.tenant.text()},
            {"invoice", commission.invoice.text()},
            {"currency", commission.currency},
            {"amount_minor", commission.amount},
            {"booked_at", to_iso8601(commission.booked)},
            {"hold_until", to_iso8601(commission.hold_until)},
            {"payout", commission.payout.empty() ? json::value(nullptr) : json::value(commission.payout)}};
}

json::object to_json(const Payout& payout) {
    return {{"id", payout.id},
            {"partner", payout.partner},
            {"currency", payout.currency},
            {"amount_minor", payout.amount},
            {"reference", payout.reference},
            {"paid_at", to_iso8601(payout.paid)}};
}

json::object to_json(const PartnerBalance& balance) {
    return {{"currency", balance.currency},
            {"held_minor", balance.held},
            {"due_minor", balance.due},
            {"paid_minor", balance.paid}};
}

}  // namespace rootstock::ledger
