#include "ledger/verify.h"

#include "ledger/ledger.h"
#include "ledger/terms.h"

namespace rootstock::ledger {
namespace {

using Problems = std::vector<std::string>;

std::string amount(Micros value) { return format_exact(value); }

void fold_balances(store::Session& session, Problems& problems) {
    session.for_each<std::string, Micros, Micros, Micros, Micros>(
        "SELECT b.account_id, b.posted_dr, b.posted_cr, CAST(COALESCE(d.total, 0) AS BIGINT), "
        "CAST(COALESCE(c.total, 0) AS BIGINT) FROM ledger_balance b "
        "LEFT JOIN (SELECT debit_account AS account, SUM(amount) AS total FROM ledger_transfer GROUP BY debit_account) "
        "d ON d.account = b.account_id "
        "LEFT JOIN (SELECT credit_account AS account, SUM(amount) AS total FROM ledger_transfer GROUP BY "
        "credit_account) c ON c.account = b.account_id "
        "WHERE b.posted_dr <> COALESCE(d.total, 0) OR b.posted_cr <> COALESCE(c.total, 0)",
        [&](const std::string& account, Micros debits, Micros credits, Micros true_debits, Micros true_credits) {
            problems.push_back("account " + account + " states debits " + amount(debits) + " and credits " +
                               amount(credits) + ", but its transfers add up to " + amount(true_debits) + " and " +
                               amount(true_credits));
        });
}

void fold_holds(store::Session& session, Problems& problems) {
    session.for_each<std::string, Micros, Micros>(
        "SELECT b.account_id, b.pending_dr, CAST(COALESCE(r.total, 0) AS BIGINT) FROM ledger_balance b "
        "LEFT JOIN (SELECT account_id, SUM(amount) AS total FROM reservation WHERE state = 'pending' GROUP BY "
        "account_id) r ON r.account_id = b.account_id WHERE b.pending_dr <> COALESCE(r.total, 0)",
        [&](const std::string& account, Micros held, Micros open) {
            problems.push_back("account " + account + " holds " + amount(held) +
                               ", but its open reservations add up to " + amount(open));
        });
}

void compare_sides(store::Session& session, Problems& problems) {
    session.for_each<std::string, Micros, Micros>(
        "SELECT a.currency, CAST(SUM(b.posted_dr) AS BIGINT), CAST(SUM(b.posted_cr) AS BIGINT) FROM ledger_balance b "
        "JOIN ledger_account a ON a.id = b.account_id GROUP BY a.currency HAVING SUM(b.posted_dr) <> "
        "SUM(b.posted_cr)",
        [&](const std::string& currency, Micros debits, Micros credits) {
            problems.push_back("in " + currency + " all debits are " + amount(debits) + " but all credits " +
                               amount(credits));
        });
}

void check_transfers(store::Session& session, Problems& problems) {
    session.for_each<std::string>(
        "SELECT t.id FROM ledger_transfer t LEFT JOIN ledger_account d ON d.id = t.debit_account "
        "LEFT JOIN ledger_account c ON c.id = t.credit_account WHERE d.id IS NULL OR c.id IS NULL OR "
        "d.currency <> t.currency OR c.currency <> t.currency OR t.amount <= 0",
        [&](const std::string& id) {
            problems.push_back("transfer " + id + " names an unknown account, another currency or no amount");
        });
    session.for_each<std::string, std::string>(
        "SELECT t.id, t.ref_id FROM ledger_transfer t LEFT JOIN usage_event u ON u.event_id = t.ref_id AND "
        "u.transfer_id = t.id WHERE t.code = 'usage' AND u.event_id IS NULL",
        [&](const std::string& id, const std::string& request) {
            problems.push_back("transfer " + id + " charges request " + request + ", of which there is no usage event");
        });
}

struct Posted {
    std::string request, transfer, state;
    std::int64_t taken_in = 0;  // tokens, or rows of tables
    Micros charged;
    std::optional<Micros> transferred;
    bool late = false;
    std::optional<Micros> held, price;
    std::optional<std::int64_t> per;
    std::int64_t output_tokens = 0;
    std::optional<Micros> output_price;
    std::optional<std::int64_t> output_per;
    std::int64_t cached_tokens = 0;  // those that have a price of their own
    std::optional<Micros> cached_price, request_amount;
    std::optional<std::int64_t> rated_bits;
    Micros rated;  // by the whole of its period: see check_rated

    Micros due() const {
        Micros sum = rated + *request_amount;
        if ((*rated_bits & 1) == 0)
            sum = sum + rate(taken_in - cached_tokens, *price, *per) + rate(cached_tokens, *cached_price, nano_per);
        if ((*rated_bits & 2) == 0) sum = sum + rate(output_tokens, *output_price, *output_per);
        return sum;
    }
};

std::string fault_of(const Posted& event) {
    const bool charged = event.charged.value > 0;
    if (charged && (!event.transferred || *event.transferred != event.charged))
        return "is charged " + amount(event.charged) + " but its transfer is " +
               (event.transferred ? amount(*event.transferred) : "missing");
    if (!charged && !event.transfer.empty()) return "is free but names a transfer";
    if (!event.held) return {};  // its reservation has been pruned
    if (event.state != (event.late ? "expired" : "posted")) return "was answered but its reservation is " + event.state;
    if (event.charged > *event.held) return "is charged more than it held";
    if (event.charged != event.due()) return "is not charged at its price";
    return {};
}

void check_events(store::Session& session, Problems& problems) {
    session.for_each<std::string, std::string, std::string, std::int64_t, Micros, std::optional<Micros>, bool,
                     std::optional<Micros>, std::optional<Micros>, std::optional<std::int64_t>, std::int64_t,
                     std::optional<Micros>, std::optional<std::int64_t>, std::int64_t, std::optional<Micros>,
                     std::optional<Micros>, std::optional<std::int64_t>, Micros>(
        "SELECT u.event_id, u.transfer_id, COALESCE(r.state, ''), CASE WHEN r.counts = 'rows' THEN u.inputs ELSE "
        "u.input_tokens END, u.amount, t.amount, u.late, "
        "r.amount, r.price_amount, r.price_per, u.output_tokens, r.output_price_amount, r.output_price_per, "
        "CASE WHEN u.cached_price_id <> '' THEN u.cached_tokens ELSE 0 END, r.cached_price_amount, r.request_amount, "
        "r.rated, u.rated_amount FROM "
        "usage_event u LEFT JOIN ledger_transfer t ON t.id = u.transfer_id AND "
        "t.ref_id = u.event_id LEFT JOIN reservation r ON r.request_id = u.event_id",
        [&](auto... columns) {
            const Posted event{std::move(columns)...};
            const std::string fault = fault_of(event);
            if (!fault.empty()) problems.push_back("request " + event.request + " " + fault);
        });
}

void check_reservations(store::Session& session, Problems& problems) {
    session.for_each<std::string>(
        "SELECT r.request_id FROM reservation r LEFT JOIN usage_event u ON u.event_id = r.request_id AND u.tenant_id "
        "= r.tenant_id AND u.source = 'server' WHERE r.state = 'posted' AND u.event_id IS NULL",
        [&](const std::string& request) {
            problems.push_back("request " + request + " is posted but has no usage event");
        });
}

// Sums of lines and taxes, payments, and what was taken back.
void check_invoices(store::Session& session, Problems& problems) {
    session.for_each<std::string>(
        "SELECT i.id FROM invoice i LEFT JOIN (SELECT invoice_id, SUM(amount) AS amount, SUM(tax) AS tax FROM "
        "invoice_line GROUP BY invoice_id) l ON l.invoice_id = i.id LEFT JOIN (SELECT invoice_id, SUM(amount) AS tax "
        "FROM invoice_tax GROUP BY invoice_id) t ON t.invoice_id = i.id LEFT JOIN (SELECT invoice_id, SUM(applied) AS "
        "applied FROM invoice_payment GROUP BY invoice_id) p ON p.invoice_id = i.id WHERE i.number > 0 AND "
        "(i.subtotal <> COALESCE(l.amount, 0) OR i.tax <> COALESCE(l.tax, 0) OR i.tax <> COALESCE(t.tax, 0) OR "
        "i.paid <> COALESCE(p.applied, 0) OR (i.status = 'paid' AND i.paid + i.offset_amount <> i.total))",
        [&](const std::string& id) {
            problems.push_back("invoice " + id + " does not say what its lines, taxes and payments add up to");
        });
    session.for_each<std::string>(
        "SELECT i.id FROM invoice i JOIN (SELECT invoice_id, SUM(amount) AS amount, SUM(tax) AS tax FROM credit_note "
        "GROUP BY invoice_id) n ON n.invoice_id = i.id WHERE n.amount > i.subtotal OR n.tax > i.tax",
        [&](const std::string& id) { problems.push_back("invoice " + id + " is credited above what it says"); });
}

void check_numbers(store::Session& session, Problems& problems) {
    session.for_each<std::string>(
        "SELECT s.series FROM invoice_series s LEFT JOIN (SELECT series, COUNT(*) AS used FROM (SELECT series FROM "
        "invoice WHERE number > 0 UNION ALL SELECT series FROM credit_note) n GROUP BY series) u ON u.series = "
        "s.series WHERE s.last <> COALESCE(u.used, 0)",
        [&](const std::string& series) { problems.push_back("series " + series + " lacks a number"); });
}

// What depends on a period's whole quantity adds up to what is kept of the period.
void check_rated(store::Session& session, Problems& problems) {
    session.for_each<TenantId, Micros, Micros>(
        "SELECT u.tenant_id, u.total, COALESCE(p.total, 0) FROM (SELECT tenant_id, CAST(SUM(rated_amount) AS BIGINT) "
        "AS "
        "total FROM usage_event GROUP BY tenant_id) u LEFT JOIN (SELECT tenant_id, CAST(SUM(charged) AS BIGINT) AS "
        "total FROM "
        "period_usage GROUP BY tenant_id) p ON p.tenant_id = u.tenant_id WHERE u.total <> COALESCE(p.total, 0)",
        [&](const TenantId& tenant, Micros events, Micros periods) {
            problems.push_back("requests of " + tenant.text() + " were rated at " + amount(events) +
                               ", but their periods at " + amount(periods));
        });
}

// What is left of a grant is what it was without its uses.
void check_grants(store::Session& session, Problems& problems) {
    session.for_each<std::string, Micros, Micros>(
        "SELECT g.id, g.amount - g.remaining, CAST(COALESCE(u.total, 0) AS BIGINT) FROM wallet_grant g LEFT JOIN "
        "(SELECT "
        "grant_id, SUM(amount) AS total FROM grant_use GROUP BY grant_id) u ON u.grant_id = g.id WHERE g.amount - "
        "g.remaining "
        "<> COALESCE(u.total, 0)",
        [&](const std::string& grant, Micros gone, Micros used) {
            problems.push_back("grant " + grant + " is short of " + amount(gone) + ", but paid for " + amount(used));
        });
}

// What is held of allowances is held by open reservations.
void check_allowances(store::Session& session, Problems& problems) {
    const auto held = session.value<std::int64_t>("SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM allowance");
    const auto open = session.value<std::int64_t>(
        "SELECT CAST(COALESCE(SUM((allowance & 1) * tokens_max + (allowance & 2) / 2 * output_tokens_max + (allowance "
        "& 4) / "
        "4), 0) AS BIGINT) FROM reservation WHERE state = 'pending'");
    if (held != open)
        problems.push_back("allowances hold " + std::to_string(held) + " units, open reservations " +
                           std::to_string(open));
}

// What the house owes a partner is what its commissions add up to, less what was paid out.
void check_commissions(store::Session& session, Problems& problems) {
    for (const auto& [partner, currency, minor] : session.query<std::string, std::string, std::int64_t>(
             "SELECT partner_id, currency, CAST(SUM(CASE WHEN payout_id = '' THEN amount ELSE 0 END) AS BIGINT) FROM "
             "commission GROUP BY partner_id, currency ORDER BY partner_id, currency")) {
        const Micros rows = rate(minor, Micros{per_minor(minor_decimals(currency).value())}, 1);
        const auto books = session.value<Micros>(
            "SELECT CAST(COALESCE(SUM(b.posted_cr - b.posted_dr), 0) AS BIGINT) FROM ledger_account a JOIN "
            "ledger_balance b ON b.account_id = a.id WHERE a.tenant_id = :partner AND a.kind = 'commission_payable' "
            "AND "
            "a.currency = :currency",
            partner, currency);
        if (rows != books)
            problems.push_back("partner " + partner + " has commissions of " + amount(rows) + " " + currency +
                               " to come, but its account says " + amount(books));
    }
}

void check_budgets(store::Session& session, Problems& problems) {
    session.for_each<std::string, Micros, Micros>(
        "SELECT b.id, b.held, CAST(COALESCE(r.total, 0) AS BIGINT) FROM key_budget b LEFT JOIN (SELECT budget_id, "
        "SUM(amount) AS total FROM reservation WHERE state = 'pending' GROUP BY budget_id) r ON r.budget_id = b.id "
        "WHERE b.held <> COALESCE(r.total, 0)",
        [&](const std::string& budget, Micros held, Micros open) {
            problems.push_back("the budget of key " + budget + " holds " + amount(held) +
                               ", but its open reservations add up to " + amount(open));
        });
}

// What should be impossible, and no longer is.
void check_guards(store::Session& session, Problems& problems) {
    for (const std::string& guard : store::missing_guards(session, migrations()))
        problems.push_back("the guard " + guard + " is missing, altered or switched off: rows can be changed unseen");
}

std::string digest_of(store::Session& session) {
    Sha256 digest;
    session.for_each<std::string, std::string, std::string, std::int64_t, std::string, std::string, std::string,
                     std::int64_t>(
        "SELECT id, debit_account, credit_account, amount, currency, code, ref_id, booked_at FROM ledger_transfer "
        "ORDER BY id",
        [&](const std::string& id, const std::string& debit, const std::string& credit, std::int64_t micros,
            const std::string& currency, const std::string& code, const std::string& ref, std::int64_t at) {
            digest.add(id + "|" + debit + "|" + credit + "|" + std::to_string(micros) + "|" + currency + "|" + code +
                       "|" + ref + "|" + std::to_string(at) + "\n");
        });
    return digest.hex();
}

}  // namespace

Verification verify(store::Session& session) {
    Verification result;
    result.accounts = session.value<std::int64_t>("SELECT COUNT(*) FROM ledger_account");
    result.transfers = session.value<std::int64_t>("SELECT COUNT(*) FROM ledger_transfer");
    result.usage_events = session.value<std::int64_t>("SELECT COUNT(*) FROM usage_event");
    result.open_reservations = session.value<std::int64_t>("SELECT COUNT(*) FROM reservation WHERE state = 'pending'");
    result.digest = digest_of(session);
    for (const auto check :
         {fold_balances, fold_holds, compare_sides, check_transfers, check_events, check_reservations, check_invoices,
          check_numbers, check_rated, check_grants, check_allowances, check_budgets, check_commissions, check_guards})
        check(session, result.problems);
    return result;
}

}  // namespace rootstock::ledger
