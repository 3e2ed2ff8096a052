// What the house does besides: the sweeper, grants, invoices and payments.
#include "world.h"

#include <algorithm>

namespace rootstock::simulation {

void World::sweep() {
    trace("sweeps");
    commit_one(
        work<void>([this, run = run_, now = now_](store::Session& session) { return server_.sweep(session, run, now); },
                   [this, now = now_](const Result<void>&) { reference_.swept(now); }));
}

void World::grant() {
    const auto& customer =
        dice_.percent(70) ? customers().front() : customers()[static_cast<std::size_t>(dice_.roll() % 4)];
    const auto& tenant = customer.tenant;
    ledger::GrantOrder order{.tenant = tenant,
                             .kind = dice_.percent(50) ? ledger::GrantKind::purchased : ledger::GrantKind::promo,
                             .amount = {dice_.from(1, customer.invoiced ? 2'000'000 : 40'000)},
                             .priority = dice_.from(0, 3) * 1'000'000 + ++minted_};
    if (dice_.percent(20)) order.effective = Timestamp{now_.micros + dice_.from(1, 2 * day)};
    if (dice_.percent(30)) order.expires = Timestamp{now_.micros + 2 * day + dice_.from(1, 30 * day)};
    trace("grants " + tenant.text() + " " + std::to_string(order.amount.value));
    commit_one(work<ledger::Grant>(
        [order, now = now_](store::Session& session) { return ledger::grant(session, order, now); },
        [this, order, now = now_](const Result<ledger::Grant>& given) {
            if (!given) throw Violation("a grant is refused: " + given.error().message);
            const bool later = order.effective && *order.effective > now;
            reference_.granted(
                order.tenant.text(), given->id,
                {later ? "scheduled" : "active", order.kind == ledger::GrantKind::purchased, order.amount.value,
                 order.amount.value, order.priority, order.effective.value_or(now), now, order.expires});
        }));
}

void World::void_grant() {
    if (reference_.grants().empty()) return;
    // By priority, which has the order of the dice; ids have chance of their own in them.
    std::vector<std::pair<std::int64_t, std::string>> all;
    for (const auto& [id, one] : reference_.grants()) all.emplace_back(one.priority, id);
    std::ranges::sort(all);
    const auto id = dice_.one_of(all).second;
    trace("voids a grant");
    commit_one(work<ledger::Grant>(
        [id, now = now_](store::Session& session) { return ledger::void_grant(session, std::nullopt, id, now); },
        [this, id](const Result<ledger::Grant>& gone) {
            if (gone) return reference_.grant_voided(id);
            const auto& state = reference_.grants().at(id).state;
            if (state == "active" || state == "scheduled")
                throw Violation("a grant is not voided: " + gone.error().message);
        }));
}

// The next month of whoever has one that is over.
void World::invoice() {
    for (const auto& customer : customers()) {
        const auto next = invoiced_.find(customer.tenant.text());
        if (next == invoiced_.end() || next_month(next->second) > now_.micros) continue;
        const ledger::InvoiceOrder order{customer.tenant, "a customer", {{next->second}, {next_month(next->second)}}};
        trace("invoices " + customer.tenant.text());
        commit_one(work<ledger::Invoice>(
            [order, now = now_](store::Session& session) -> Result<ledger::Invoice> {
                ROOTSTOCK_TRY(drafted, ledger::draft(session, order, now));
                return ledger::finalize(session, drafted.id, now);
            },
            [this, order](const Result<ledger::Invoice>& bill) {
                if (!bill) throw Violation("a period is not invoiced: " + bill.error().message);
                reference_.finalized(order.tenant.text(), *bill);
                invoiced_[order.tenant.text()] = order.period.end.micros;
                billed_until_ = std::max(billed_until_, order.period.end.micros);
            }));
        return;
    }
}

namespace {

// In the order of their numbers.
std::vector<std::string> open_invoices(const Reference& reference, bool unpaid) {
    std::vector<std::pair<std::int64_t, std::string>> found;
    for (const auto& [id, one] : reference.invoices())
        if (one.status == "open" && !(unpaid && one.paid > 0)) found.emplace_back(one.number, id);
    std::ranges::sort(found);
    std::vector<std::string> ids;
    for (auto& [number, id] : found) ids.push_back(std::move(id));
    return ids;
}

}  // namespace

// Providers tell what they took more than once.
void World::pay() {
    auto open = open_invoices(reference_, false);
    const bool again = !payments_.empty() && dice_.percent(40);
    if (open.empty() && !again) return;
    if (!again) {
        const auto& id = dice_.one_of(open);
        const auto& one = reference_.invoices().at(id);
        const auto left = one.total - one.paid;
        const auto amount = dice_.percent(60) ? left : dice_.from(1, left + 500);
        payments_.emplace_back(id, mint("pay"), amount);
    }
    const auto [id, ref, amount] = again ? dice_.one_of(payments_) : payments_.back();
    trace("pays " + std::to_string(amount) + ", " + ref);
    commit_one(work<ledger::Invoice>(
        [=, now = now_](store::Session& session) {
            return ledger::settle_payment(session, InvoiceId(id), amount, ref, now);
        },
        [=, this](const Result<ledger::Invoice>& paid) {
            if (paid) return reference_.paid(id, ref, amount);
            if (reference_.invoices().at(id).status == "open")
                throw Violation("a payment is refused: " + paid.error().message);
        }));
}

void World::void_invoice() {
    auto open = open_invoices(reference_, true);
    if (open.empty()) return;
    const auto id = dice_.one_of(open);
    trace("voids and reissues an invoice");
    commit_one(work<ledger::Invoice>(
        [id, now = now_](store::Session& session) -> Result<ledger::Invoice> {
            ROOTSTOCK_TRY(next, ledger::reissue(session, InvoiceId(id), now));
            return ledger::finalize(session, next.id, now);
        },
        [this, id](const Result<ledger::Invoice>& bill) {
            if (!bill) throw Violation("an invoice is not reissued: " + bill.error().message);
            reference_.invoice_voided(id);
            reference_.finalized(bill->tenant.text(), *bill);
        }));
}

}  // namespace rootstock::simulation
