#include "ledger/dunning.h"

#include <array>
#include <optional>

#include "ledger/calendar.h"

namespace rootstock::ledger {
namespace {

struct Step {
    std::int64_t day;
    const char* action;
};
constexpr std::array<Step, 6> steps{
    {{0, "remind"}, {1, "remind"}, {3, "remind"}, {7, "remind"}, {14, "suspend"}, {30, "cancel"}}};

struct Overdue {
    InvoiceId invoice;
    TenantId tenant;
    std::string subscription;
    Timestamp due;
    std::int64_t last;  // step taken or skipped; -1: none
};

std::vector<Overdue> overdue(store::Session& session, Timestamp now, std::int64_t limit) {
    std::vector<Overdue> found;
    // Only those whose next step is due: the oldest ones that wait must not hide the others.
    std::string next = "CASE COALESCE(MAX(d.step), -1)";
    for (std::size_t i = 0; i < steps.size(); ++i)
        next += " WHEN " + std::to_string(static_cast<std::int64_t>(i) - 1) + " THEN " +
                std::to_string(steps[i].day * micros_per_day);
    session.for_each<InvoiceId, TenantId, std::string, Timestamp, std::int64_t>(
        "SELECT i.id, i.tenant_id, i.subscription_id, i.due_at, COALESCE(MAX(d.step), -1) FROM invoice i LEFT JOIN "
        "dunning d ON d.invoice_id = i.id WHERE i.status = 'open' AND i.due_at <= :now GROUP BY i.id, i.tenant_id, "
        "i.subscription_id, i.due_at HAVING i.due_at + " +
            next + " END <= :same ORDER BY i.due_at, i.id LIMIT :limit",
        [&](auto... columns) { found.push_back({std::move(columns)...}); }, now, now, limit);
    return found;
}

void record(store::Session& session, const DunningEvent& event) {
    session.execute(
        "INSERT INTO dunning (invoice_id, step, tenant_id, day, action, skipped, taken_at) VALUES (:invoice, :step, "
        ":tenant, :day, :action, :skipped, :now)",
        event.invoice, event.step, event.tenant, event.day, event.action, event.skipped, event.taken);
}

// Writes every step that is due; the last of them is the one that is taken.
std::optional<DunningEvent> take(store::Session& session, const Overdue& invoice, Timestamp now) {
    std::optional<DunningEvent> taken;
    for (std::size_t i = static_cast<std::size_t>(invoice.last + 1); i < steps.size(); ++i) {
        if (invoice.due.micros + steps[i].day * micros_per_day > now.micros) break;
        if (taken) {
            taken->skipped = true;
            record(session, *taken);
        }
        taken = DunningEvent{invoice.invoice,
                             invoice.tenant,
                             invoice.subscription,
                             static_cast<std::int64_t>(i),
                             steps[i].day,
                             steps[i].action,
                             false,
                             now};
    }
    if (taken) record(session, *taken);
    return taken;
}

}  // namespace

Result<std::vector<DunningEvent>> run_dunning(store::Session& session, Timestamp now, const DunningHandIn& hand_in,
                                              std::int64_t invoices_max) {
    std::vector<DunningEvent> events;
    for (const Overdue& invoice : overdue(session, now, invoices_max)) {
        const auto taken = take(session, invoice, now);
        if (!taken) continue;
        if (hand_in) ROOTSTOCK_CHECKED(hand_in(session, *taken));
        events.push_back(*taken);
    }
    return events;
}

std::vector<DunningEvent> dunning_of(store::Session& session, const InvoiceId& invoice) {
    std::vector<DunningEvent> events;
    session.for_each<InvoiceId, TenantId, std::string, std::int64_t, std::int64_t, std::string, bool, Timestamp>(
        "SELECT d.invoice_id, d.tenant_id, i.subscription_id, d.step, d.day, d.action, d.skipped, d.taken_at FROM "
        "dunning d JOIN invoice i ON i.id = d.invoice_id WHERE d.invoice_id = :invoice ORDER BY d.step",
        [&](auto... columns) { events.push_back({std::move(columns)...}); }, invoice);
    return events;
}

}  // namespace rootstock::ledger
