// What an invoice says, computed from the books as they are: the one path of previews, drafts and bills.

#include <algorithm>
#include <map>
#include <tuple>

#include "ledger/calendar.h"
#include "ledger/invoice_rows.h"
#include "ledger/plan.h"
#include "ledger/statement.h"

namespace rootstock::ledger {
namespace {

// Usage is accepted up to 35 days late, and a period lasts a month: two periods back is far enough.
constexpr std::int64_t look_back = 100 * micros_per_day;

using Key = std::tuple<std::string, std::string, std::string>;  // kind, meter, model
struct Billed {
    std::int64_t quantity = 0, charged = 0;
    std::string unit{};
};

// What live invoices of the tenant hold of a period already.
std::map<Key, Billed> billed_of(store::Session& session, const Invoice& invoice, const Period& origin) {
    std::map<Key, Billed> billed;
    session.for_each<std::string, std::string, std::string, std::int64_t, std::int64_t, std::string>(
        "SELECT l.kind, l.meter, l.model, CAST(SUM(l.quantity) AS BIGINT), CAST(SUM(l.charged) AS BIGINT), MAX(l.unit) "
        "FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id WHERE i.tenant_id = :tenant AND "
        "i.subscription_id = :subscription AND i.kind = 'period' AND i.status IN ('open', 'paid', 'uncollectible') AND "
        "l.origin_start = :start GROUP BY l.kind, l.meter, l.model",
        [&](std::string kind, std::string meter, std::string model, std::int64_t quantity, std::int64_t charged,
            std::string unit) {
            billed[{std::move(kind), std::move(meter), std::move(model)}] = {quantity, charged, std::move(unit)};
        },
        invoice.tenant, invoice.subscription, origin.start);
    return billed;
}

Micros claimed_of(store::Session& session, const Invoice& invoice, const Period& origin) {
    return session.value<Micros>(
        "SELECT CAST(COALESCE(SUM(s.booked), 0) AS BIGINT) FROM invoice i JOIN invoice_service s ON s.invoice_id = "
        "i.id WHERE i.tenant_id = :tenant AND i.subscription_id = :subscription AND "
        "i.status IN ('open', 'paid', 'uncollectible') AND s.service_start = :start",
        invoice.tenant, invoice.subscription, origin.start);
}

// `lines` less what was billed of them: the difference by kind, meter and model.
std::vector<ChargeLine> rest_of(const std::vector<ChargeLine>& lines, const std::map<Key, Billed>& billed,
                                const Invoice& invoice, const Period& origin) {
    std::map<Key, ChargeLine> rest;
    const auto at = [&](const Key& key, const std::string& unit) -> ChargeLine& {
        auto [place, added] = rest.try_emplace(key);
        ChargeLine& line = place->second;
        if (added) {
            std::tie(line.kind, line.meter, line.model) = key;
            line.unit = unit;
            line.service = origin;
            line.currency = invoice.currency;
            line.decimals = invoice.decimals;
        }
        return line;
    };
    for (const ChargeLine& line : lines) {
        ChargeLine& sum = at({line.kind, line.meter, line.model}, line.unit);
        sum.quantity += line.quantity;
        sum.amount = (Micros{sum.amount} + Micros{line.amount}).value;
    }
    for (const auto& [key, before] : billed) {
        ChargeLine& sum = at(key, before.unit);
        sum.quantity -= before.quantity;
        sum.amount = (Micros{sum.amount} - Micros{before.charged}).value;
    }
    std::vector<ChargeLine> left;
    for (auto& [key, line] : rest)
        if (line.amount != 0) left.push_back(std::move(line));
    return left;
}

// What a period costs and no live invoice has. A part that amounts to nothing yet waits for the next invoice.
Result<void> add_period(store::Session& session, Invoice& invoice, const Period& origin) {
    ROOTSTOCK_TRY(used, agreed_usage(session, invoice.tenant, origin));
    ROOTSTOCK_TRY(lines, charges(session, invoice.tenant, origin));
    const auto billed = billed_of(session, invoice, origin);
    if (!billed.empty()) lines = rest_of(lines, billed, invoice, origin);
    for (ChargeLine& line : lines) invoice.lines.push_back({std::move(line), origin, 0, 0});
    const Micros booked = used - claimed_of(session, invoice, origin);
    if (booked.value != 0 || origin == invoice.period) invoice.services.push_back({origin, booked});
    return {};
}

std::vector<Period> earlier_periods(store::Session& session, const Invoice& invoice) {
    std::vector<Period> periods;
    session.for_each<Timestamp, Timestamp>(
        "SELECT period_start, period_end FROM invoice WHERE tenant_id = :tenant AND subscription_id = :subscription "
        "AND "
        "kind = 'period' AND status IN ('open', 'paid', 'uncollectible') AND period_end <= :start AND "
        "period_end > :oldest ORDER BY period_start",
        [&](Timestamp start, Timestamp end) {
            periods.push_back({start, end});
        },
        invoice.tenant, invoice.subscription, invoice.period.start, Timestamp{invoice.period.start.micros - look_back});
    return periods;
}

// Customer credit pays after tax; what is below zero becomes customer credit.
void sum_up(store::Session& session, Invoice& invoice) {
    invoice.subtotal = invoice.tax = 0;
    for (const InvoiceLine& line : invoice.lines) {
        invoice.subtotal = (Micros{invoice.subtotal} + Micros{line.amount}).value;
        invoice.tax = (Micros{invoice.tax} + Micros{line.tax}).value;
    }
    const std::int64_t gross = (Micros{invoice.subtotal} + Micros{invoice.tax}).value;
    invoice.credits = std::min(gross, customer_credit(session, invoice.tenant, invoice.currency, invoice.decimals));
    invoice.total = gross - invoice.credits;
    ROOTSTOCK_CHECK(invoice.total >= 0, "an invoice below zero");
}

void add_taxes(store::Session& session, Invoice& invoice) {
    std::vector<TaxRate> rates;
    if (!invoice.customer.country.empty())
        rates =
            tax_rates_for(session, invoice.customer.country, invoice.customer.region, {invoice.period.end.micros - 1});
    std::vector<std::int64_t> amounts;
    for (const InvoiceLine& line : invoice.lines) amounts.push_back(line.charge.amount);
    Taxed taxed = tax_lines(amounts, rates);
    for (std::size_t i = 0; i < invoice.lines.size(); ++i) {
        invoice.lines[i].amount = taxed.net[i];
        invoice.lines[i].tax = taxed.tax[i];
    }
    invoice.taxes = std::move(taxed.rates);
}

}  // namespace

Result<void> compute(store::Session& session, Invoice& invoice) {
    const std::string name_given = invoice.customer.name;
    invoice.customer = billing_details(session, invoice.tenant);
    if (invoice.customer.name.empty()) invoice.customer.name = name_given;
    invoice.issuer = billing_details(session, TenantId());
    invoice.services.clear();
    if (invoice.kind == "period") {
        invoice.lines.clear();
        ROOTSTOCK_CHECKED(add_period(session, invoice, invoice.period));
        for (const Period& earlier : earlier_periods(session, invoice))
            ROOTSTOCK_CHECKED(add_period(session, invoice, earlier));
    }
    add_taxes(session, invoice);
    sum_up(session, invoice);
    return {};
}

}  // namespace rootstock::ledger
