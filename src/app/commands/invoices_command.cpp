// rootstock invoice list, show, draft, finalize and the other steps; rootstock credit-note; rootstock tax.

#include <cstdio>

#include "app/commands/books.h"
#include "app/commands/commands.h"
#include "flow/flow.h"

namespace rootstock {
namespace {

constexpr std::int64_t shown_max = 1000;

std::string minor(const ledger::Invoice& invoice, std::int64_t amount) {
    return ledger::minor_text(amount, invoice.decimals);
}

std::string number(const ledger::Invoice& invoice) { return ledger::number_text(invoice.series, invoice.number); }

void print(const ledger::Invoice& invoice) {
    std::printf("%s %s, %s, for %s, %s up to %s\n", paint(Colour::bold, number(invoice)).c_str(),
                invoice.id.text().c_str(), ledger::name(invoice.status), invoice.customer.name.c_str(),
                to_iso8601(invoice.period.start).c_str(), to_iso8601(invoice.period.end).c_str());
    Table table({"LINE", "WHAT", "MODEL", "SERVICE FROM", "QUANTITY", "TAX", invoice.currency});
    for (const std::size_t column : {0, 4, 5, 6}) table.align_right(column);
    std::int64_t position = 0;
    for (const auto& line : invoice.lines)
        table.add({count(++position), line.charge.unit, line.charge.model,
                   to_iso8601(line.charge.service.start).substr(0, 10), count(line.charge.quantity),
                   minor(invoice, line.tax), minor(invoice, line.amount)});
    for (const auto& tax : invoice.taxes) table.add({"", tax.rate.name, "", "", "", "", minor(invoice, tax.amount)});
    if (invoice.credits != 0) table.add({"", "customer credit", "", "", "", "", minor(invoice, -invoice.credits)});
    std::printf("%sTo pay: %s of %s %s\n", table.text().c_str(),
                paint(Colour::bold, minor(invoice, invoice.left())).c_str(), minor(invoice, invoice.total).c_str(),
                invoice.currency.c_str());
}

void tell(const Context& context, const ledger::Invoice& invoice) {
    if (context.json) {
        print_json(ledger::view_of(invoice));
    } else {
        print(invoice);
    }
}

// "12.35" -> 1235: whole minor units.
Result<std::int64_t> minor_from(const std::string& text, int decimals) {
    ROOTSTOCK_TRY(exact, parse_micros(text));
    const std::int64_t unit = ledger::per_minor(decimals);
    if (exact.value % unit != 0)
        return fail(ErrorCode::invalid_argument, "'" + text + "' has more decimals than the currency");
    return exact.value / unit;
}

// "text=12.50" -> its two sides.
Result<std::pair<std::string, std::string>> split(const std::string& text) {
    const auto at = text.rfind('=');
    if (at == std::string::npos || at == 0)
        return fail(ErrorCode::invalid_argument, "a line is written as TEXT=AMOUNT, such as 'two days of help=1200'",
                    "line");
    return std::pair(text.substr(0, at), text.substr(at + 1));
}

// ---- rootstock invoice ----

struct Listed {
    std::string tenant, status;
};

Result<void> list(const Context& context, const Listed& wanted) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(found, place.records->read([&](store::Session& session) -> Result<std::vector<ledger::Invoice>> {
        ledger::InvoiceFilter filter{.limit = shown_max};
        if (!wanted.tenant.empty()) {
            ROOTSTOCK_TRY(owner, tenant::find(session, wanted.tenant));
            filter.tenant = owner.id;
        }
        if (!wanted.status.empty()) filter.status = ledger::invoice_status(wanted.status);
        return ledger::invoices(session, filter);
    }));
    if (context.json) {
        json::array all;
        for (const auto& invoice : found) all.push_back(ledger::summary_of(invoice));
        print_json(json::object{{"invoices", std::move(all)}});
        return {};
    }
    Table table({"ID", "NUMBER", "STATUS", "PERIOD", "TOTAL", "LEFT", ""});
    table.align_right(4);
    table.align_right(5);
    for (const auto& invoice : found)
        table.add({invoice.id.text(), number(invoice), ledger::name(invoice.status),
                   to_iso8601(invoice.period.start).substr(0, 10), minor(invoice, invoice.total),
                   minor(invoice, invoice.left()), invoice.currency});
    std::printf("%s", table.text().c_str());
    return {};
}

struct Shown {
    std::string id, pdf, csv;
};

Result<void> show(const Context& context, const Shown& wanted) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(invoice, place.records->read([&](store::Session& session) {
        return ledger::find_invoice(session, InvoiceId(wanted.id));
    }));
    if (!wanted.pdf.empty()) {
        ROOTSTOCK_TRY(bytes, bill::pdf_of(invoice));
        ROOTSTOCK_CHECKED(write_file_atomically(wanted.pdf, bytes));
    }
    if (!wanted.csv.empty()) ROOTSTOCK_CHECKED(write_file_atomically(wanted.csv, bill::csv_of(invoice)));
    tell(context, invoice);
    return {};
}

struct Drafted {
    std::string tenant, month;
    std::vector<std::string> lines;
    std::int64_t due_days = 14;
};

Result<ledger::Invoice> draft_from(store::Session& session, const Drafted& wanted, const ledger::Period& period) {
    ROOTSTOCK_TRY(order, bill::order_of(session, wanted.tenant, period, {}, wanted.due_days));
    std::vector<bill::WrittenLine> lines;
    for (const auto& line : wanted.lines) {
        ROOTSTOCK_TRY(sides, split(line));
        ROOTSTOCK_TRY(books, ledger::balance(session, order.tenant));
        ROOTSTOCK_TRY(decimals, ledger::minor_decimals(books.currency));
        ROOTSTOCK_TRY(amount, minor_from(sides.second, decimals));
        lines.push_back({sides.first, 1, amount});
    }
    ROOTSTOCK_TRY(whole, bill::order_of(session, wanted.tenant, period, lines, wanted.due_days));
    return ledger::draft(session, whole, system_clock().now());
}

Result<void> draft(const Context& context, const Drafted& wanted) {
    ROOTSTOCK_TRY(period, chosen_month(wanted.month));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(invoice, place.records->write_now(
                               [&](store::Session& session) { return draft_from(session, wanted, period); }));
    tell(context, invoice);
    return {};
}

using Step = Result<ledger::Invoice> (*)(store::Session&, const InvoiceId&, Timestamp);

Result<void> take(const Context& context, const std::string& id, Step step) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(invoice, place.records->write_now([&](store::Session& session) {
        return step(session, InvoiceId(id), system_clock().now());
    }));
    tell(context, invoice);
    return {};
}

Result<void> remove(const Context& context, const std::string& id) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_CHECKED(place.records->write_now(
        [&](store::Session& session) { return ledger::delete_draft(session, InvoiceId(id)); }));
    if (context.json) print_json(json::object{{"id", id}, {"deleted", true}});
    return {};
}

struct Paid {
    std::string id, amount, reference;
};

Result<void> pay_invoice(const Context& context, const Paid& wanted) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(invoice, place.records->write_now([&](store::Session& session) -> Result<ledger::Invoice> {
        ROOTSTOCK_TRY(before, ledger::find_invoice(session, InvoiceId(wanted.id)));
        ROOTSTOCK_TRY(amount, minor_from(wanted.amount, before.decimals));
        return ledger::settle_payment(session, before.id, amount, wanted.reference, system_clock().now());
    }));
    tell(context, invoice);
    return {};
}

struct Details {
    std::string tenant;
    bool house = false;
    ledger::Party party;
};

Result<void> set_details(const Context& context, const Details& wanted) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(party, place.records->write_now([&](store::Session& session) -> Result<ledger::Party> {
        TenantId owner;
        if (!wanted.house) {
            ROOTSTOCK_TRY(found, tenant::find(session, wanted.tenant));
            owner = found.id;
        }
        return ledger::set_billing_details(session, owner, wanted.party, system_clock().now());
    }));
    if (context.json) {
        print_json(ledger::to_json(party));
    } else {
        std::printf("%s stands on the next invoices\n", paint(Colour::bold, party.name).c_str());
    }
    return {};
}

// ---- rootstock credit-note ----

struct Credited {
    std::string invoice, reason, kind;
    std::vector<std::string> lines;
};

json::object to_json(const ledger::CreditNote& note) {
    auto view = ledger::document_of(note);
    view["refunded_at"] = note.refunded ? json::value(to_iso8601(*note.refunded)) : json::value(nullptr);
    return view;
}

Result<ledger::CreditNote> credit_from(store::Session& session, const Credited& wanted) {
    ROOTSTOCK_TRY(invoice, ledger::find_invoice(session, InvoiceId(wanted.invoice)));
    ledger::CreditOrder order{invoice.id, wanted.reason, wanted.kind};
    for (const auto& line : wanted.lines) {
        ROOTSTOCK_TRY(sides, split(line));
        ROOTSTOCK_TRY(position, minor_from(sides.first, 0));
        ROOTSTOCK_TRY(amount, minor_from(sides.second, invoice.decimals));
        order.lines.push_back({position, amount});
    }
    return ledger::issue_credit_note(session, order, system_clock().now());
}

void print(const std::vector<ledger::CreditNote>& notes) {
    Table table({"ID", "NUMBER", "KIND", "INVOICE", "NET", "TAX", "REASON"});
    table.align_right(4);
    table.align_right(5);
    for (const auto& note : notes)
        table.add({note.id, ledger::number_text(note.series, note.number), note.kind, note.invoice.text(),
                   count(note.amount), count(note.tax), note.reason});
    std::printf("%sAmounts are minor units.\n", table.text().c_str());
}

Result<void> credit(const Context& context, const Credited& wanted) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(note,
                  place.records->write_now([&](store::Session& session) { return credit_from(session, wanted); }));
    if (context.json) {
        print_json(to_json(note));
    } else {
        print({note});
    }
    return {};
}

Result<void> list_notes(const Context& context, const std::string& invoice) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(notes, place.records->read([&](store::Session& session) -> Result<std::vector<ledger::CreditNote>> {
        return ledger::credit_notes(session, std::nullopt, InvoiceId(invoice), "", shown_max);
    }));
    if (!context.json) {
        print(notes);
        return {};
    }
    json::array all;
    for (const auto& note : notes) all.push_back(to_json(note));
    print_json(json::object{{"credit_notes", std::move(all)}});
    return {};
}

// ---- rootstock tax ----

struct Taxed {
    ledger::TaxRate rate;
    std::string percent, from, id, last;
};

json::object to_json(const ledger::TaxRate& rate) {
    return {{"id", rate.id},
            {"name", rate.name},
            {"country", rate.country},
            {"region", rate.region},
            {"basis_points", rate.basis_points},
            {"inclusive", rate.inclusive},
            {"starts_at", to_iso8601(rate.starts)},
            {"ends_at", rate.ends ? json::value(to_iso8601(*rate.ends)) : json::value(nullptr)}};
}

void tell(const Context& context, const std::vector<ledger::TaxRate>& rates) {
    if (context.json) {
        json::array all;
        for (const auto& rate : rates) all.push_back(to_json(rate));
        print_json(json::object{{"tax_rates", std::move(all)}});
        return;
    }
    Table table({"ID", "COUNTRY", "REGION", "NAME", "PERCENT", "IN THE PRICE", "FROM", "UNTIL"});
    table.align_right(4);
    for (const auto& rate : rates)
        table.add({rate.id, rate.country, rate.region, rate.name, ledger::minor_text(rate.basis_points, 2),
                   rate.inclusive ? "yes" : "no", to_iso8601(rate.starts).substr(0, 10),
                   rate.ends ? to_iso8601(*rate.ends).substr(0, 10) : "-"});
    std::printf("%s", table.text().c_str());
}

Result<void> add_tax(const Context& context, Taxed wanted) {
    ROOTSTOCK_TRY(points, minor_from(wanted.percent, 2));
    ROOTSTOCK_TRY(first, chosen_month(wanted.from));
    wanted.rate.basis_points = points;
    wanted.rate.starts = first.start;
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(rate, place.records->write_now([&](store::Session& session) {
        return ledger::add_tax_rate(session, wanted.rate, system_clock().now());
    }));
    tell(context, {rate});
    return {};
}

Result<void> end_tax(const Context& context, const Taxed& wanted) {
    ROOTSTOCK_TRY(last, ledger::month(wanted.last));
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(rate, place.records->write_now([&](store::Session& session) {
        return ledger::end_tax_rate(session, wanted.id, last.end);
    }));
    tell(context, {rate});
    return {};
}

Result<void> list_taxes(const Context& context) {
    ROOTSTOCK_TRY(place, open_workplace(context));
    ROOTSTOCK_TRY(rates, place.records->read([](store::Session& session) -> Result<std::vector<ledger::TaxRate>> {
        return ledger::tax_rates(session, "", shown_max);
    }));
    tell(context, rates);
    return {};
}

void add_step(CLI::App& group, Context& context, const std::string& name, const std::string& what, Step step) {
    auto* command = group.add_subcommand(name, what);
    auto id = std::make_shared<std::string>();
    command->add_option("INVOICE", *id, "Its id")->required();
    command->callback([&context, id, step] { run_command(context, [&] { return take(context, *id, step); }); });
}

// A subcommand whose options are bound by `bind` to a struct of its own.
template <typename Options, typename Bind, typename Body>
void add(CLI::App& group, Context& context, const std::string& name, const std::string& what, Bind bind, Body body) {
    auto* command = group.add_subcommand(name, what);
    auto options = std::make_shared<Options>();
    bind(*command, *options);
    command->callback([&context, options, body] { run_command(context, [&] { return body(context, *options); }); });
}

}  // namespace

void add_invoice_steps(CLI::App& group, Context& context) {
    add<Listed>(
        group, context, "list", "Invoices there are",
        [](CLI::App& command, Listed& options) {
            command.add_option("--tenant", options.tenant, "Of one customer");
            command.add_option("--status", options.status, "In one state")
                ->check(CLI::IsMember({"draft", "open", "paid", "void", "uncollectible"}));
        },
        list);
    add<Shown>(
        group, context, "show", "One invoice, and its papers",
        [](CLI::App& command, Shown& options) {
            command.add_option("INVOICE", options.id, "Its id")->required();
            command.add_option("--pdf", options.pdf, "Writes it as a PDF")->type_name("FILE");
            command.add_option("--csv", options.csv, "Writes it as a CSV")->type_name("FILE");
        },
        show);
    add<Drafted>(
        group, context, "draft", "A draft of what a month costs, or of lines that are given",
        [](CLI::App& command, Drafted& options) {
            command.add_option("TENANT", options.tenant, "Whose invoice")->required();
            command.add_option("--month", options.month, "Such as 2026-11, in UTC [the current one]")
                ->type_name("YYYY-MM");
            command.add_option("--line", options.lines, "A line instead of usage; repeatable")
                ->type_name("TEXT=AMOUNT");
            command.add_option("--due-days", options.due_days, "From issue [14]");
        },
        draft);
    add_step(group, context, "finalize", "Numbers a draft; from then on it never changes", ledger::finalize);
    add_step(group, context, "void", "Takes an unpaid invoice back", ledger::void_invoice);
    add_step(group, context, "reissue", "Takes an unpaid invoice back and drafts the one that replaces it",
             ledger::reissue);
    add_step(group, context, "uncollectible", "Nobody expects the money any more", ledger::mark_uncollectible);
    add<std::string>(
        group, context, "delete", "Removes a draft",
        [](CLI::App& command, std::string& id) { command.add_option("INVOICE", id, "Its id")->required(); }, remove);
    add<Paid>(
        group, context, "pay", "Money came, by bank transfer",
        [](CLI::App& command, Paid& options) {
            command.add_option("INVOICE", options.id, "Its id")->required();
            command.add_option("--amount", options.amount, "Such as 12.35")->required();
            command.add_option("--reference", options.reference, "What the bank calls it; booked once")->required();
        },
        pay_invoice);
    add<Details>(
        group, context, "details", "Who stands on the next invoices of a customer, or as their issuer",
        [](CLI::App& command, Details& options) {
            auto* of = command.add_option("TENANT", options.tenant, "Whose details");
            command.add_flag("--house", options.house, "Those of the issuer")->excludes(of);
            command.add_option("--name", options.party.name, "Its legal name")->required();
            command.add_option("--address", options.party.address, "Lines of the address");
            command.add_option("--country", options.party.country, "Two capitals, such as DE");
            command.add_option("--region", options.party.region, "As tax rates spell it");
            command.add_option("--tax-id", options.party.tax_id, "Its tax number");
            command.add_option("--email", options.party.email, "Where invoices go");
            command.add_option("--language", options.party.language, "Of its papers: en or zh [en]");
        },
        set_details);
}

void add_credit_note_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("credit-note", "What issued invoices take back");
    group->require_subcommand(1);
    add<Credited>(
        *group, context, "issue", "Takes back a part of an invoice, or what is left of it",
        [](CLI::App& command, Credited& options) {
            command.add_option("INVOICE", options.invoice, "Its id")->required();
            command.add_option("--reason", options.reason, "Why")->required();
            command.add_option("--kind", options.kind, "credit, refund or offset [by what was paid]");
            command.add_option("--line", options.lines, "A line's number and the net amount; repeatable")
                ->type_name("N=AMOUNT");
        },
        credit);
    add<std::string>(
        *group, context, "list", "Credit notes there are",
        [](CLI::App& command, std::string& invoice) { command.add_option("--invoice", invoice, "Of one invoice"); },
        list_notes);
}

void add_tax_command(CLI::App& program, Context& context) {
    auto* group = program.add_subcommand("tax", "Tax rates of countries and their regions");
    group->require_subcommand(1);
    add<Taxed>(
        *group, context, "add", "A rate from a month on",
        [](CLI::App& command, Taxed& options) {
            command.add_option("--country", options.rate.country, "Two capitals, such as DE")->required();
            command.add_option("--region", options.rate.region, "A part of the country [all of it]");
            command.add_option("--name", options.rate.name, "As it stands on invoices")->required();
            command.add_option("--percent", options.percent, "Such as 19 or 7.5")->required();
            command.add_flag("--inclusive", options.rate.inclusive, "Prices contain it");
            command.add_option("--from", options.from, "Its first month [the current one]")->type_name("YYYY-MM");
        },
        add_tax);
    add<Taxed>(
        *group, context, "end", "The last month of a rate",
        [](CLI::App& command, Taxed& options) {
            command.add_option("RATE", options.id, "Its id")->required();
            command.add_option("--last", options.last, "The last month")->required()->type_name("YYYY-MM");
        },
        end_tax);
    auto* all = group->add_subcommand("list", "Rates there are");
    all->callback([&context] { run_command(context, [&] { return list_taxes(context); }); });
}

}  // namespace rootstock
