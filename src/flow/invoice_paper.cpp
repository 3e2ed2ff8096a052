#include "flow/invoice_paper.h"

#include <array>
#include <utility>

namespace rootstock::bill {
namespace {

struct Words {
    const char *invoice, *draft, *void_stamp, *bill_to, *number, *issued, *due, *period, *replaces, *tax_id, *text,
        *service, *quantity, *tax, *amount, *subtotal, *included, *credit, *total, *late, *pay, *inside, *page;
};
constexpr Words english{"Invoice",
                        "DRAFT",
                        "VOID",
                        "Bill to",
                        "Number",
                        "Issued",
                        "Due",
                        "Period",
                        "Replaces",
                        "Tax ID",
                        "Item",
                        "Service period",
                        "Quantity",
                        "Tax",
                        "Net amount",
                        "Subtotal",
                        "included",
                        "Customer credit",
                        "To pay",
                        "used in an earlier period",
                        "Please pay by the due date and name the number of this invoice.",
                        "Prices include the tax that is shown.",
                        "Page"};
constexpr Words chinese{"账单",
                        "草稿",
                        "作废",
                        "客户",
                        "编号",
                        "开具日期",
                        "付款期限",
                        "账期",
                        "替代账单",
                        "税号",
                        "项目",
                        "服务期间",
                        "数量",
                        "税额",
                        "净额",
                        "小计",
                        "价内",
                        "客户余额",
                        "应付金额",
                        "较早账期的用量",
                        "请在付款期限前付款，并注明账单编号。",
                        "价格已含所列税款。",
                        "页"};

const Words& words_of(const ledger::Invoice& invoice) { return invoice.customer.language == "zh" ? chinese : english; }

// Units as rating names them, in Chinese.
constexpr std::array<std::pair<const char*, const char*>, 8> chinese_units{{{"tokens", "token"},
                                                                            {"input tokens", "输入 token"},
                                                                            {"cached tokens", "缓存 token"},
                                                                            {"output tokens", "输出 token"},
                                                                            {"training tokens", "训练 token"},
                                                                            {"requests", "次请求"},
                                                                            {"images", "张图片"},
                                                                            {"month", "月"}}};

std::string unit_of(const ledger::Invoice& invoice, const std::string& unit) {
    if (invoice.customer.language == "zh")
        for (const auto& [english_unit, chinese_unit] : chinese_units)
            if (unit == english_unit) return chinese_unit;
    return unit;
}

std::string day(Timestamp instant) { return to_iso8601(instant).substr(0, 10); }

// Half-open in the books, from the first to the last day on paper.
std::string days(const ledger::Period& period) { return day(period.start) + " – " + day({period.end.micros - 1}); }

std::string grouped(std::int64_t number) {
    std::string digits = std::to_string(number);
    const std::size_t front = digits.front() == '-' ? 1 : 0;
    for (std::size_t at = digits.size(); at > front + 3;) digits.insert(at -= 3, ",");
    return digits;
}

std::string percent(std::int64_t basis_points) {
    std::string text = format_rounded(Micros{basis_points * 10'000}, 2);
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text + " %";
}

std::string tax_text(const ledger::Invoice& invoice, const ledger::TaxLine& tax) {
    return tax.rate.name + " " + percent(tax.rate.basis_points) +
           (tax.rate.inclusive ? std::string(" (") + words_of(invoice).included + ")" : "");
}

std::string adapter_of(const ledger::ChargeLine& charge) {
    const json::value detail = json::parse(charge.detail);
    const auto* adapter = detail.is_object() ? detail.get_object().if_contains("adapter") : nullptr;
    return adapter && adapter->is_string() ? std::string(adapter->get_string()) : "";
}

std::string item_of(const ledger::Invoice& invoice, const ledger::InvoiceLine& line) {
    const auto adapter = adapter_of(line.charge);
    std::string text = line.charge.model;
    if (!adapter.empty()) text += (text.empty() ? "" : " · ") + adapter;
    if (!line.charge.unit.empty()) text += (text.empty() ? "" : "\n") + unit_of(invoice, line.charge.unit);
    if (line.origin.start < invoice.period.start) text += std::string("\n") + words_of(invoice).late;
    return text;
}

std::vector<std::string> lines_of(const ledger::Party& party, const Words& words) {
    std::vector<std::string> lines{party.name};
    std::string rest = party.address;
    while (!rest.empty()) {
        lines.push_back(rest.substr(0, rest.find('\n')));
        rest.erase(0, lines.back().size() + 1);
    }
    if (!party.country.empty())
        lines.push_back(party.region.empty() ? party.country : party.region + ", " + party.country);
    if (!party.tax_id.empty()) lines.push_back(std::string(words.tax_id) + " " + party.tax_id);
    if (!party.email.empty()) lines.push_back(party.email);
    return lines;
}

}  // namespace

paper::Document sheet_of(const ledger::Invoice& invoice) {
    const Words& words = words_of(invoice);
    const auto money = [&](std::int64_t amount) { return ledger::minor_text(amount, invoice.decimals); };
    paper::Document document{.language = invoice.customer.language,
                             .title = words.invoice,
                             .number = ledger::number_text(invoice.series, invoice.number),
                             .from = lines_of(invoice.issuer, words),
                             .to_label = words.bill_to,
                             .to = lines_of(invoice.customer, words),
                             .page_word = words.page,
                             .made = invoice.issued.value_or(invoice.created)};
    if (invoice.number == 0) document.stamp = words.draft;
    if (invoice.status == ledger::InvoiceStatus::voided) document.stamp = words.void_stamp;
    if (invoice.issued) document.facts.push_back({words.issued, day(*invoice.issued)});
    if (invoice.due) document.facts.push_back({words.due, day(*invoice.due)});
    document.facts.push_back({words.period, days(invoice.period)});
    document.columns = {{words.text, 6},
                        {words.service, 5},
                        {words.quantity, 3, true},
                        {words.tax, 2, true},
                        {std::string(words.amount) + " " + invoice.currency, 3, true}};
    bool inclusive = false;
    for (const auto& line : invoice.lines)
        document.rows.push_back({item_of(invoice, line), days(line.charge.service), grouped(line.charge.quantity),
                                 money(line.tax), money(line.amount)});
    document.sums.push_back({words.subtotal, money(invoice.subtotal)});
    for (const auto& tax : invoice.taxes) {
        document.sums.push_back({tax_text(invoice, tax), money(tax.amount)});
        inclusive = inclusive || tax.rate.inclusive;
    }
    if (invoice.credits != 0) document.sums.push_back({words.credit, money(-invoice.credits)});
    document.sums.push_back({words.total, money(invoice.total) + " " + invoice.currency});
    if (inclusive) document.notes.emplace_back(words.inside);
    if (invoice.number > 0 && invoice.total > 0) document.notes.emplace_back(words.pay);
    return document;
}

Result<std::string> pdf_of(const ledger::Invoice& invoice) { return paper::pdf(sheet_of(invoice)); }

std::string csv_of(const ledger::Invoice& invoice) {
    const auto money = [&](std::int64_t amount) { return ledger::minor_text(amount, invoice.decimals); };
    const auto number = ledger::number_text(invoice.series, invoice.number);
    std::vector<std::vector<std::string>> rows{{"invoice", "customer", "row", "kind", "model", "adapter", "item",
                                                "service_start", "service_end", "quantity", "amount", "tax",
                                                "currency"}};
    std::int64_t position = 0;
    for (const auto& line : invoice.lines) {
        const auto& charge = line.charge;
        rows.push_back({number, invoice.customer.name, std::to_string(++position), charge.kind, charge.model,
                        adapter_of(charge), charge.unit, to_iso8601(charge.service.start),
                        to_iso8601(charge.service.end), std::to_string(charge.quantity), money(line.amount),
                        money(line.tax), invoice.currency});
    }
    const auto sum = [&](std::string kind, std::string item, std::int64_t amount, std::int64_t tax) {
        rows.push_back({number, invoice.customer.name, "", std::move(kind), "", "", std::move(item), "", "", "",
                        money(amount), money(tax), invoice.currency});
    };
    for (const auto& tax : invoice.taxes) sum("tax", tax_text(invoice, tax), tax.base, tax.amount);
    if (invoice.credits != 0) sum("customer credit", "", -invoice.credits, 0);
    sum("total", "", invoice.total, 0);
    return paper::csv(rows);
}

}  // namespace rootstock::bill
