// What must hold after every step: rows as they are on the disk, against the reference.
#include "world.h"

namespace rootstock::simulation {

void World::check() {
    storage_.see([&](store::Session& session) {
        check_folds(session);
        check_books(session);
        check_requests(session);
        check_rest(session);
        return 0;
    });
    check_told();
}

// Every balance is the sum of its transfers, and all of them together are nothing.
void World::check_folds(store::Session& session) const {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> sums;
    session.for_each<std::string, std::string, std::int64_t>(
        "SELECT debit_account, credit_account, amount FROM ledger_transfer",
        [&](const std::string& debit, const std::string& credit, std::int64_t amount) {
            if (amount <= 0) throw Violation("a transfer of nothing or less");
            sums[debit].first += amount;
            sums[credit].second += amount;
        });
    std::int64_t all = 0;
    session.for_each<std::string, std::int64_t, std::int64_t, std::int64_t>(
        "SELECT account_id, posted_dr, posted_cr, pending_dr FROM ledger_balance",
        [&](const std::string& account, std::int64_t debits, std::int64_t credits, std::int64_t held) {
            if (sums[account] != std::pair(debits, credits))
                throw Violation("account " + account + " is not the fold of its transfers");
            if (held < 0) throw Violation("account " + account + " holds less than nothing");
            all += debits - credits;
        });
    if (all != 0) throw Violation("all balances together are " + std::to_string(all));
}

void World::check_books(store::Session& session) const {
    for (const auto& [name, tenant] : reference_.tenants()) {
        std::int64_t owed = 0, held = 0, credit = 0;
        session.for_each<std::string, std::int64_t, std::int64_t>(
            "SELECT a.kind, b.posted_dr - b.posted_cr, b.pending_dr FROM ledger_account a JOIN ledger_balance b ON "
            "b.account_id = a.id WHERE a.tenant_id = :tenant",
            [&](const std::string& kind, std::int64_t debits, std::int64_t pending) {
                if (kind == "receivable") {
                    owed = debits;
                    held = pending;
                } else if (kind == "refunds") {
                    credit = -debits;
                }
            },
            name);
        if (owed != tenant.owed)
            throw Violation(name + " owes " + std::to_string(owed) + " where it should be " +
                            std::to_string(tenant.owed));
        if (held != tenant.held)
            throw Violation(name + " has " + std::to_string(held) + " on hold where it should be " +
                            std::to_string(tenant.held));
        if (credit != tenant.credit * 10'000)
            throw Violation(name + " has a credit of " + std::to_string(credit) + " where it should be " +
                            std::to_string(tenant.credit) + " cents");
    }
}

void World::check_requests(store::Session& session) const {
    std::size_t count = 0;
    session.for_each<std::string, std::string, std::int64_t, std::int64_t>(
        "SELECT request_id, state, amount, progress_tokens FROM reservation",
        [&](const std::string& id, const std::string& state, std::int64_t amount, std::int64_t progress) {
            ++count;
            const auto one = reference_.reservations().find(id);
            if (one == reference_.reservations().end()) throw Violation(id + " is held, and was never admitted");
            if (one->second.state != state) throw Violation(id + " is " + state + " and not " + one->second.state);
            if (one->second.hold != amount) throw Violation(id + " holds another amount than it was told");
            if (state == "pending" && one->second.mark != progress)
                throw Violation(id + " is marked at " + std::to_string(progress) + " and not " +
                                std::to_string(one->second.mark));
        });
    if (count != reference_.reservations().size()) throw Violation("a reservation is lost");
    count = 0;
    session.for_each<std::string, std::string, std::int64_t, bool>(
        "SELECT event_id, tenant_id, amount, late FROM usage_event",
        [&](const std::string& id, const std::string& tenant, std::int64_t amount, bool late) {
            ++count;
            const auto one = reference_.billed().find(id);
            if (one == reference_.billed().end()) throw Violation(id + " is billed, which should not be");
            if (one->second.amount != amount || one->second.tenant != tenant || one->second.late != late)
                throw Violation(id + " is billed " + std::to_string(amount) + " and not " +
                                std::to_string(one->second.amount));
        });
    if (count != reference_.billed().size()) throw Violation("a request is not billed that was settled");
}

void World::check_rest(store::Session& session) const {
    for (const auto& [id, state, remaining] :
         session.query<std::string, std::string, std::int64_t>("SELECT id, state, remaining FROM wallet_grant")) {
        const auto one = reference_.grants().find(id);
        if (one == reference_.grants().end()) throw Violation("a grant that nobody gave");
        if (one->second.state != state || one->second.left != remaining)
            throw Violation("a grant is " + state + " with " + std::to_string(remaining) + " left and not " +
                            one->second.state + " with " + std::to_string(one->second.left));
    }
    for (const auto& [tenant, meter, period, used, held] :
         session.query<std::string, std::string, std::int64_t, std::int64_t, std::int64_t>(
             "SELECT tenant_id, meter, period_start, used, held FROM allowance")) {
        const auto& all = reference_.tenants().at(tenant).allowances;
        const auto one = all.find({meter, period});
        if (one == all.end() || one->second.used != used || one->second.held != held)
            throw Violation("the allowance of " + meter + " is used " + std::to_string(used) + " and held " +
                            std::to_string(held) + ", which is not so");
    }
    std::int64_t count = 0;
    for (const auto& [id, number, status, total, paid] :
         session.query<std::string, std::int64_t, std::string, std::int64_t, std::int64_t>(
             "SELECT id, number, status, total, paid FROM invoice WHERE number > 0")) {
        ++count;
        const auto one = reference_.invoices().find(id);
        if (one == reference_.invoices().end()) throw Violation("an invoice that nobody finalised");
        const auto& bill = one->second;
        if (bill.number != number || bill.status != status || bill.total != total || bill.paid != paid)
            throw Violation("invoice " + std::to_string(number) + " is " + status + ", of which " +
                            std::to_string(paid) + " is paid, and should be " + bill.status + ", " +
                            std::to_string(bill.paid));
    }
    if (count != reference_.numbers()) throw Violation("the numbers of invoices have a gap");
}

// Whoever was answered is billed, once, what he was told.
void World::check_told() {
    for (const auto& [request, amount] : told_) {
        const auto one = reference_.billed().find(request);
        if (one == reference_.billed().end()) throw Violation(request + " was answered and is not billed");
        if (one->second.amount != amount) throw Violation(request + " was answered and billed another amount");
    }
    told_.clear();  // what is on the disk stays there: check_requests sees to that
}

void World::verify() {
    const auto books = storage_.see([](store::Session& session) { return ledger::verify(session); });
    if (!books.problems.empty()) throw Violation("verify: " + books.problems.front());
}

}  // namespace rootstock::simulation
