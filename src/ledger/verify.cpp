#include "ledger/verify.h"

#include "ledger/ledger.h"

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
    std::int64_t tokens = 0;
    Micros charged;
    std::optional<Micros> transferred;
    bool late = false;
    std::optional<Micros> held, price;
    std::optional<std::int64_t> per;
    std::int64_t output_tokens = 0;
    std::optional<Micros> output_price;
    std::optional<std::int64_t> output_per;

    Micros due() const { return rate(tokens, *price, *per) + rate(output_tokens, *output_price, *output_per); }
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
                     std::optional<Micros>, std::optional<std::int64_t>>(
        "SELECT u.event_id, u.transfer_id, COALESCE(r.state, ''), u.input_tokens, u.amount, t.amount, u.late, "
        "r.amount, r.price_amount, r.price_per, u.output_tokens, r.output_price_amount, r.output_price_per FROM "
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
         {fold_balances, fold_holds, compare_sides, check_transfers, check_events, check_reservations, check_guards})
        check(session, result.problems);
    return result;
}

}  // namespace rootstock::ledger
