#include "ledger/invoice_rows.h"

#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

#define INVOICE_COLUMNS                                                                                            \
    "id, tenant_id, subscription_id, kind, series, number, status, currency, decimals, period_start, period_end, " \
    "issued_at, due_at, due_days, subtotal, tax, credits, total, paid, offset_amount, customer, wanted_lines, "    \
    "replaces, snapshot, content_sha256, version, created_at"

struct Stored {
    Invoice invoice;
    std::string wanted, snapshot;
};

template <typename... Args>
std::vector<Stored> select(store::Session& session, std::string_view sql, const Args&... args) {
    std::vector<Stored> all;
    session.for_each<InvoiceId, TenantId, std::string, std::string, std::string, std::int64_t, std::string, std::string,
                     int, Timestamp, Timestamp, std::optional<Timestamp>, std::optional<Timestamp>, std::int64_t,
                     std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::string,
                     std::string, std::string, std::string, std::string, std::int64_t, Timestamp>(
        sql,
        [&](InvoiceId id, TenantId tenant, std::string subscription, std::string kind, std::string series,
            std::int64_t number, const std::string& status, std::string currency, int decimals, Timestamp start,
            Timestamp end, std::optional<Timestamp> issued, std::optional<Timestamp> due, std::int64_t due_days,
            std::int64_t subtotal, std::int64_t tax, std::int64_t credits, std::int64_t total, std::int64_t paid,
            std::int64_t offset, std::string customer, std::string wanted, std::string replaces, std::string snapshot,
            std::string hash, std::int64_t version, Timestamp created) {
            const auto known = invoice_status(status);
            ROOTSTOCK_CHECK(known.has_value(), "an invoice in no state");
            Stored stored{{.id = std::move(id),
                           .tenant = std::move(tenant),
                           .subscription = std::move(subscription),
                           .kind = std::move(kind),
                           .series = std::move(series),
                           .number = number,
                           .status = *known,
                           .currency = std::move(currency),
                           .decimals = decimals,
                           .period = {start, end},
                           .issued = issued,
                           .due = due,
                           .due_days = due_days,
                           .subtotal = subtotal,
                           .tax = tax,
                           .credits = credits,
                           .total = total,
                           .paid = paid,
                           .offset = offset,
                           .replaces = std::move(replaces),
                           .content_sha256 = std::move(hash),
                           .version = version,
                           .created = created},
                          std::move(wanted),
                          std::move(snapshot)};
            stored.invoice.customer.name = std::move(customer);
            all.push_back(std::move(stored));
        },
        args...);
    return all;
}

std::string text(const json::object& object, std::string_view key) { return std::string(object.at(key).as_string()); }

std::string wanted_text(const Invoice& invoice) {
    json::array lines;
    if (invoice.kind == "manual")
        for (const InvoiceLine& line : invoice.lines)
            lines.push_back(json::object{{"meter", line.charge.meter},
                                         {"model", line.charge.model},
                                         {"quantity", line.charge.quantity},
                                         {"unit", line.charge.unit},
                                         {"amount", line.charge.amount},
                                         {"detail", line.charge.detail}});
    return json::serialize(lines);
}

void read_wanted(Invoice& invoice, const std::string& wanted) {
    const json::value lines = json::parse(wanted);
    for (const auto& value : lines.as_array()) {
        const auto& line = value.as_object();
        ChargeLine charge{.kind = "manual",
                          .meter = text(line, "meter"),
                          .model = text(line, "model"),
                          .quantity = line.at("quantity").to_number<std::int64_t>(),
                          .unit = text(line, "unit"),
                          .service = invoice.period,
                          .amount = line.at("amount").to_number<std::int64_t>(),
                          .currency = invoice.currency,
                          .decimals = invoice.decimals,
                          .detail = text(line, "detail")};
        invoice.lines.push_back({std::move(charge), invoice.period, 0, 0});
    }
}

void read_lines(store::Session& session, Invoice& invoice) {
    session.for_each<std::string, std::string, std::string, std::int64_t, std::string, Timestamp, Timestamp, Timestamp,
                     std::int64_t, std::int64_t, std::int64_t, std::string>(
        "SELECT kind, meter, model, quantity, unit, service_start, service_end, origin_start, charged, amount, tax, "
        "detail FROM invoice_line WHERE invoice_id = :invoice ORDER BY position",
        [&](std::string kind, std::string meter, std::string model, std::int64_t quantity, std::string unit,
            Timestamp start, Timestamp end, Timestamp origin, std::int64_t charged, std::int64_t amount,
            std::int64_t tax, std::string detail) {
            ChargeLine charge{std::move(kind), std::move(meter), std::move(model), quantity,         std::move(unit),
                              {start, end},    charged,          invoice.currency, invoice.decimals, std::move(detail)};
            invoice.lines.push_back({std::move(charge), {origin, origin}, amount, tax});
        },
        invoice.id);
    session.for_each<std::string, std::string, std::string, std::string, std::int64_t, bool, Timestamp,
                     std::optional<Timestamp>, std::int64_t, std::int64_t>(
        "SELECT r.id, r.name, r.country, r.region, r.basis_points, r.inclusive, r.starts_at, r.ends_at, t.base, "
        "t.amount FROM invoice_tax t JOIN tax_rate r ON r.id = t.rate_id WHERE t.invoice_id = :invoice "
        "ORDER BY t.position",
        [&](std::string id, std::string name, std::string country, std::string region, std::int64_t points,
            bool inclusive, Timestamp starts, std::optional<Timestamp> ends, std::int64_t base, std::int64_t amount) {
            invoice.taxes.push_back({{std::move(id), std::move(name), std::move(country), std::move(region), points,
                                      inclusive, starts, ends},
                                     base,
                                     amount});
        },
        invoice.id);
    session.for_each<Timestamp, Timestamp, Micros>(
        "SELECT service_start, service_end, booked FROM invoice_service WHERE invoice_id = :invoice "
        "ORDER BY service_start",
        [&](Timestamp start, Timestamp end, Micros booked) {
            invoice.services.push_back({{start, end}, booked});
        },
        invoice.id);
}

// The parties as they were when the invoice was issued.
void read_parties(Invoice& invoice, const std::string& snapshot) {
    const json::value document = json::parse(snapshot);
    invoice.issuer = party_from(document.at("issuer").as_object());
    invoice.customer = party_from(document.at("customer").as_object());
}

}  // namespace

std::int64_t next_number(store::Session& session, const char* series) {
    return session.value<std::int64_t>(
        "INSERT INTO invoice_series (issuer, series, last) VALUES ('', :series, 1) "
        "ON CONFLICT (issuer, series) DO UPDATE SET last = invoice_series.last + 1 RETURNING last",
        std::string(series));
}

void insert_draft(store::Session& session, const Invoice& invoice, Timestamp now) {
    session.execute(
        "INSERT INTO invoice (id, tenant_id, subscription_id, kind, issuer, series, number, status, currency, "
        "decimals, "
        "period_start, period_end, customer, wanted_lines, due_days, subtotal, tax, credits, total, paid, "
        "offset_amount, replaces, snapshot, content_sha256, version, created_at) VALUES (:id, :tenant, :subscription, "
        ":kind, '', :series, 0, 'draft', :currency, :decimals, :start, :end, :customer, :wanted, :days, 0, 0, 0, 0, 0, "
        "0, :replaces, '', '', 1, :now)",
        invoice.id, invoice.tenant, invoice.subscription, invoice.kind, invoice.series, invoice.currency,
        invoice.decimals, invoice.period.start, invoice.period.end, invoice.customer.name, wanted_text(invoice),
        invoice.due_days, invoice.replaces, now);
}

void write_issued(store::Session& session, const Invoice& invoice) {
    std::int64_t position = 0;
    for (const InvoiceLine& line : invoice.lines)
        session.execute(
            "INSERT INTO invoice_line (invoice_id, position, origin_start, kind, meter, model, quantity, unit, "
            "service_start, service_end, charged, amount, tax, detail) VALUES (:invoice, :position, :origin, :kind, "
            ":meter, :model, :quantity, :unit, :start, :end, :charged, :amount, :tax, :detail)",
            invoice.id, ++position, line.origin.start, line.charge.kind, line.charge.meter, line.charge.model,
            line.charge.quantity, line.charge.unit, line.charge.service.start, line.charge.service.end,
            line.charge.amount, line.amount, line.tax, line.charge.detail);
    position = 0;
    for (const TaxLine& tax : invoice.taxes)
        session.execute(
            "INSERT INTO invoice_tax (invoice_id, rate_id, position, base, amount) VALUES (:invoice, :rate, :position, "
            ":base, :amount)",
            invoice.id, tax.rate.id, ++position, tax.base, tax.amount);
    for (const BookedService& service : invoice.services)
        session.execute(
            "INSERT INTO invoice_service (invoice_id, service_start, service_end, booked) VALUES (:invoice, :start, "
            ":end, :booked)",
            invoice.id, service.period.start, service.period.end, service.booked);
    session.execute(
        "UPDATE invoice SET number = :number, status = 'open', issued_at = :issued, due_at = :due, subtotal = "
        ":subtotal, tax = :tax, credits = :credits, total = :total, snapshot = :snapshot, content_sha256 = :hash, "
        "version = version + 1 WHERE id = :id",
        invoice.number, invoice.issued, invoice.due, invoice.subtotal, invoice.tax, invoice.credits, invoice.total,
        json::serialize(document_of(invoice)), invoice.content_sha256, invoice.id);
}

void write_progress(store::Session& session, const Invoice& invoice, Timestamp now) {
    const bool closed = invoice.status == InvoiceStatus::paid || invoice.status == InvoiceStatus::voided;
    session.execute(
        "UPDATE invoice SET status = :status, paid = :paid, offset_amount = :offset, version = version + 1, "
        "closed_at = :closed WHERE id = :id",
        std::string(name(invoice.status)), invoice.paid, invoice.offset, closed ? std::optional(now) : std::nullopt,
        invoice.id);
}

Result<Invoice> find_invoice(store::Session& session, const InvoiceId& id) {
    auto found = select(session, "SELECT " INVOICE_COLUMNS " FROM invoice WHERE id = :id", id);
    if (found.empty())
        return fail(ErrorCode::not_found, "there is no such invoice: `rootstock invoice list` shows those there are",
                    "id", "invoice_not_found");
    auto& [invoice, wanted, snapshot] = found.front();
    if (invoice.status == InvoiceStatus::draft) {
        if (invoice.kind == "manual") read_wanted(invoice, wanted);
        ROOTSTOCK_CHECKED(compute(session, invoice));
    } else {
        read_lines(session, invoice);
        read_parties(invoice, snapshot);
    }
    return std::move(invoice);
}

std::vector<Invoice> invoices(store::Session& session, const InvoiceFilter& filter) {
    const std::string status = filter.status ? name(*filter.status) : "";
    std::vector<Invoice> all;
    for (auto& stored :
         select(session,
                "SELECT " INVOICE_COLUMNS
                " FROM invoice WHERE (:everybody = 1 OR tenant_id = :only) AND (:any = '' OR status = "
                ":status) AND id > :after ORDER BY id LIMIT :limit",
                filter.tenant ? 0 : 1, filter.tenant.value_or(TenantId{}), status, status, filter.after, filter.limit))
        all.push_back(std::move(stored.invoice));
    return all;
}

}  // namespace rootstock::ledger
