#include "ledger/charges.h"

#include <algorithm>
#include <map>

#include "ledger/coupon.h"
#include "ledger/plan.h"
#include "ledger/subscription.h"
#include "ledger/wallet.h"

namespace rootstock::ledger {
namespace {

std::int64_t minor_of(Micros amount, int decimals) { return rate(amount.value, Micros{1}, per_minor(decimals)).value; }

struct Frame {
    const TenantId& tenant;
    const Period& period;
    std::string currency;
    int decimals = 2;

    ChargeLine line(std::string kind, std::string unit) const {
        return {.kind = std::move(kind),
                .meter = {},
                .model = {},
                .quantity = 1,
                .unit = std::move(unit),
                .service = period,
                .currency = currency,
                .decimals = decimals};
    }
};

using Lines = std::vector<ChargeLine>;

// ---- fees ----

struct Term {
    std::string subscription, plan;
    std::int64_t version = 0;
    bool trial = false;
    Timestamp start;
    std::optional<Timestamp> end;
};

std::vector<Term> terms_of(store::Session& session, const Frame& frame) {
    std::vector<Term> terms;
    session.for_each<std::string, std::string, std::int64_t, bool, Timestamp, std::optional<Timestamp>>(
        "SELECT subscription_id, plan_code, plan_version, trial, started_at, ended_at FROM subscription_term WHERE "
        "tenant_id "
        "= :tenant AND started_at < :end AND (ended_at IS NULL OR ended_at >= :start) ORDER BY started_at, number",
        [&](auto... columns) { terms.push_back({std::move(columns)...}); }, frame.tenant, frame.period.end,
        frame.period.start);
    return terms;
}

// One that ended as the period began is there to be compared with the next.
bool over(const Frame& frame, const Term& term) { return term.end && *term.end <= frame.period.start; }

Plan plan_of(store::Session& session, const Term& term) { return find_plan(session, term.plan, term.version).value(); }

// The fee of a period of the plan, of the days from when the subscription was in it on.
ChargeLine fee_line(const Frame& frame, const Plan& plan, const Subscription& one, const Period& whole,
                    Timestamp from) {
    const Date start = local_date(one.timezone, whole.start), end = local_date(one.timezone, whole.end);
    const std::int64_t days = days_between(start, end);
    const std::int64_t used = days_between(std::max(start, local_date(one.timezone, from)), end);
    ChargeLine line = frame.line("fee", plan.months == 12 ? "year of " + plan.code : "month of " + plan.code);
    line.service = {std::max(whole.start, from), whole.end};
    line.amount = prorated(minor_of(plan.fee, frame.decimals), used, days);
    line.detail =
        json::serialize(json::object{{"plan", plan.code}, {"version", plan.version}, {"days", used}, {"of", days}});
    return line;
}

// A fee is due in the period in which the plan's own period begins, or the subscription does; a change of the plan is
// due where it happened.
void add_fees(store::Session& session, const Frame& frame, Lines& lines) {
    const auto terms = terms_of(session, frame);
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const Term& term = terms[i];
        if (term.trial) continue;
        const auto one = find_subscription(session, frame.tenant, term.subscription).value();
        const Plan plan = plan_of(session, term);
        const Cycle cycle{one.timezone, one.anchor, plan.months};
        const bool changed = i > 0 && terms[i - 1].subscription == term.subscription && !terms[i - 1].trial;
        const Timestamp end = std::min(term.end.value_or(frame.period.end), frame.period.end);
        for (auto number = cycle.number_at(std::max(term.start, frame.period.start));; ++number) {
            const Period whole = cycle.period(number);
            const Timestamp due = std::max(whole.start, term.start);
            if (due >= end) break;
            if (due < frame.period.start) continue;
            if (changed && due == term.start && whole.start < term.start) {
                const Plan before = plan_of(session, terms[i - 1]);
                for (ChargeLine& line : change_lines(before, plan, one, whole, term.start))
                    lines.push_back(std::move(line));
            } else if (plan.fee.value > 0) {
                lines.push_back(fee_line(frame, plan, one, whole, due));
            }
        }
    }
}

// ---- usage ----

// What was used at a price, by model.
struct Used {
    std::string price, model;
    std::int64_t quantity = 0;
};

std::vector<Used> used_by(store::Session& session, const Frame& frame, const std::string& column,
                          const std::string& quantity) {
    std::vector<Used> used;
    session.for_each<std::string, std::string, std::int64_t>(
        "SELECT " + column + ", model, CAST(SUM(" + quantity +
            ") AS BIGINT) FROM usage_event WHERE tenant_id = :tenant AND "
            "occurred_at >= :start AND occurred_at < :end AND " +
            column + " <> '' GROUP BY " + column + ", model",
        [&](auto... columns) { used.push_back({std::move(columns)...}); }, frame.tenant, frame.period.start,
        frame.period.end);
    return used;
}

const char* unit_of(const std::string& meter) {
    static const std::map<std::string, const char*> units{
        {"input_tokens", "input tokens"},         {"cached_tokens", "cached input tokens"},
        {"output_tokens", "output tokens"},       {"training_tokens", "training tokens"},
        {"training_seconds", "training seconds"}, {"adapter_storage", "gigabyte days"}};
    const auto known = units.find(meter);
    return known == units.end() ? meter.c_str() : known->second;
}

Result<ChargeLine> usage_line(const Frame& frame, const Price& price, const std::string& model, std::int64_t quantity) {
    ROOTSTOCK_TRY(amount, rated(price.rating, quantity, frame.decimals));
    ChargeLine line = frame.line("usage", unit_of(price.meter));
    line.meter = price.meter;
    line.model = model;
    line.quantity = quantity;
    line.amount = amount;
    line.detail = json::serialize(json::object{{"price", price.id}, {"rating", to_json(price.rating)}});
    return line;
}

// A price per unit has a line for each model; any other counts all of them together.
Result<void> add_priced(store::Session& session, const Frame& frame, Lines& lines) {
    std::map<std::pair<std::string, std::string>, std::int64_t> quantities;
    std::map<std::string, Price> prices;
    const auto add = [&](const std::string& column, const std::string& quantity) {
        for (const Used& used : used_by(session, frame, column, quantity)) {
            if (!prices.contains(used.price)) prices.emplace(used.price, price_of(session, used.price));
            const Price& price = prices.at(used.price);
            quantities[{used.price, price.rating.linear() ? used.model : price.model}] += used.quantity;
        }
    };
    add("price_id",
        "CASE WHEN (SELECT p.meter FROM plan_price p WHERE p.id = price_id) = 'rows' THEN inputs ELSE input_tokens - "
        "CASE WHEN "
        "cached_price_id <> '' THEN cached_tokens ELSE 0 END END");
    add("cached_price_id", "cached_tokens");
    add("output_price_id", "output_tokens");
    add("request_price_id", "1");
    for (const auto& [key, quantity] : quantities) {
        if (quantity == 0) continue;
        ROOTSTOCK_TRY(line, usage_line(frame, prices.at(key.first), key.second, quantity));
        lines.push_back(std::move(line));
    }
    for (const Term& term : terms_of(session, frame)) {
        if (term.trial || over(frame, term)) continue;
        for (const Price& price : plan_of(session, term).prices) {
            const bool holds = price.from < frame.period.end && (!price.until || *price.until > frame.period.start) &&
                               (price.tenant.empty() || price.tenant == frame.tenant);
            if (!holds || prices.contains(price.id)) continue;
            ROOTSTOCK_TRY(line, usage_line(frame, price, price.model, 0));  // what is due without use
            if (line.amount == 0) continue;
            prices.emplace(price.id, price);
            lines.push_back(std::move(line));
        }
    }
    return {};
}

// Usage from before there were price books: as it was charged request by request.
void add_unpriced(store::Session& session, const Frame& frame, Lines& lines) {
    for (auto& [model, adapter, tokens, amount] : session.query<std::string, std::string, std::int64_t, Micros>(
             "SELECT model, adapter, CAST(SUM(input_tokens + output_tokens) AS BIGINT), CAST(SUM(amount) AS BIGINT) "
             "FROM "
             "usage_event WHERE tenant_id = :tenant AND occurred_at >= :start AND occurred_at < :end AND price_id = '' "
             "GROUP "
             "BY model, adapter ORDER BY model, adapter",
             frame.tenant, frame.period.start, frame.period.end)) {
        ChargeLine line = frame.line("usage", "tokens");
        line.meter = "tokens";
        line.model = model;
        line.quantity = tokens;
        line.amount = minor_of(amount, frame.decimals);
        line.detail = json::serialize(json::object{{"adapter", adapter}});
        lines.push_back(std::move(line));
    }
}

// A commitment is of a whole period of the plan, and of the plan that the period ends with.
void add_commitment(store::Session& session, const Frame& frame, Lines& lines) {
    const auto terms = terms_of(session, frame);
    if (terms.empty() || terms.back().trial || over(frame, terms.back())) return;
    const Plan plan = plan_of(session, terms.back());
    if (plan.commitment.value == 0) return;
    const auto one = find_subscription(session, frame.tenant, terms.back().subscription).value();
    if (Cycle{one.timezone, one.anchor, plan.months}.at(frame.period.start) != frame.period) return;
    std::int64_t used = 0;
    for (const ChargeLine& line : lines)
        if (line.kind == "usage") used += line.amount;
    const std::int64_t committed = minor_of(plan.commitment, frame.decimals);
    if (used >= committed) return;
    ChargeLine line = frame.line("commitment", "rest of the commitment of " + plan.code);
    line.amount = committed - used;
    line.detail = json::serialize(json::object{{"plan", plan.code}, {"commitment", committed}, {"used", used}});
    lines.push_back(std::move(line));
}

// What grants paid for is taken off before taxes: it was given, or sold before.
void add_credit(store::Session& session, const Frame& frame, Lines& lines) {
    ChargeLine line = frame.line("credit", "credit used");
    line.amount = -minor_of(credits_used(session, frame.tenant, frame.period), frame.decimals);
    if (line.amount == 0) return;
    lines.push_back(std::move(line));
}

// A coupon takes off what is left to be paid: never of what a grant has paid, or credit would turn into money.
void add_discount(store::Session& session, const Frame& frame, Lines& lines) {
    const auto terms = terms_of(session, frame);
    if (terms.empty()) return;
    std::int64_t sum = 0;
    for (const ChargeLine& line : lines) sum = (Micros{sum} + Micros{line.amount}).value;
    auto line =
        discount_line(session, frame.tenant, terms.back().plan, frame.period, sum, frame.currency, frame.decimals);
    if (line) lines.push_back(std::move(*line));
}

}  // namespace

std::vector<UsageCharge> usage_charges(store::Session& session, const TenantId& tenant, const Period& period) {
    std::vector<UsageCharge> lines;
    session.for_each<std::string, std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Micros>(
        "SELECT model, adapter, COUNT(*), CAST(SUM(inputs) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT), "
        "CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM usage_event WHERE tenant_id = :tenant "
        "AND occurred_at >= :start "
        "AND occurred_at < :end GROUP BY model, adapter ORDER BY model, adapter",
        [&](auto... columns) { lines.push_back({std::move(columns)...}); }, tenant, period.start, period.end);
    return lines;
}

Micros booked_usage(store::Session& session, const TenantId& tenant, const Period& period) {
    return session.value<Micros>(
        "SELECT CAST(COALESCE(SUM(t.amount), 0) AS BIGINT) FROM ledger_account a "
        "JOIN ledger_transfer t ON t.debit_account = a.id AND t.code = 'usage' "
        "WHERE a.tenant_id = :tenant AND t.booked_at >= :start AND t.booked_at < :end",
        tenant, period.start, period.end);
}

Result<std::vector<ChargeLine>> charges(store::Session& session, const TenantId& tenant, const Period& period) {
    ROOTSTOCK_TRY(books, balance(session, tenant));
    ROOTSTOCK_TRY(decimals, minor_decimals(books.currency));
    const Frame frame{tenant, period, books.currency, decimals};
    Lines lines, usage;
    add_fees(session, frame, lines);
    ROOTSTOCK_CHECKED(add_priced(session, frame, usage));
    add_unpriced(session, frame, usage);
    std::ranges::sort(usage, {}, [](const ChargeLine& line) { return std::tie(line.meter, line.model, line.detail); });
    std::ranges::move(usage, std::back_inserter(lines));
    add_commitment(session, frame, lines);
    add_credit(session, frame, lines);
    add_discount(session, frame, lines);
    return lines;
}

}  // namespace rootstock::ledger
