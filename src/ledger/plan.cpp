#include "ledger/plan.h"

#include <algorithm>
#include <array>

#include "ledger/accounts.h"

namespace rootstock::ledger {
namespace {

constexpr std::array<std::string_view, 9> meters{"input_tokens",    "cached_tokens",    "output_tokens",
                                                 "requests",        "images",           "rows",
                                                 "training_tokens", "training_seconds", "adapter_storage"};

std::unexpected<Error> refuse(const std::string& sentence, const char* field) {
    return fail(ErrorCode::invalid_argument, sentence, field);
}

bool is_code(std::string_view code) {
    return !code.empty() && code.size() <= 63 && std::ranges::all_of(code, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}

Result<void> check(const Price& price) {
    if (!is_meter(price.meter)) return refuse("'" + price.meter + "' is no meter: see docs/formats/plans.md", "meter");
    if (price.until && *price.until <= price.from) return refuse("a price ends after it began", "effective_until");
    return check_rating(price.rating);
}

Result<void> check_amounts(const Plan& plan, int decimals) {
    if (plan.credit_limit.value < 0) return refuse("a credit limit is zero or more", "credit_limit");
    for (const auto& [amount, field] : {std::pair(plan.fee, "fee"), {plan.commitment, "commitment"}})
        if (amount.value < 0 || amount.value % per_minor(decimals) != 0)
            return refuse(std::string("'") + field + "' is zero or more, in whole minor units of the currency", field);
    if (plan.trial_credit.value < 0) return refuse("a trial's credit is zero or more", "trial_credit");
    if (plan.trial_days < 0 || plan.trial_days > 366) return refuse("a trial has 0 to 366 days", "trial_days");
    return {};
}

Result<void> check_limits(const Plan& plan) {
    for (const auto& limit : {plan.limits.requests_per_minute, plan.limits.tokens_per_minute, plan.limits.parallel})
        if (limit && (*limit < 1 || *limit > 1'000'000'000'000))
            return refuse("a limit is a number from 1 to 10^12; leave it out for none", "limits");
    for (const Allowance& allowance : plan.allowances)
        if (!is_meter(allowance.meter) || allowance.quantity < 0)
            return refuse("an allowance names a meter and a quantity of zero or more", "allowances");
    return {};
}

// What is held for input covers cached tokens too, so they cost no more.
Result<void> check_cached(const Plan& plan) {
    const auto dearest = [](const Price& price) {
        return std::ranges::max(price.rating.tiers, {}, &Tier::nano_per_million).nano_per_million;
    };
    for (const Price& cached : plan.prices) {
        if (cached.meter != "cached_tokens") continue;
        if (!cached.rating.linear()) return refuse("cached tokens have a price per unit", "prices");
        for (const Price& input : plan.prices)
            if (input.meter == "input_tokens" && (!input.rating.linear() || dearest(input) < dearest(cached)))
                return refuse("cached tokens cost no more than input tokens, which have a price per unit then",
                              "prices");
    }
    return {};
}

Result<void> check(const Plan& plan) {
    ROOTSTOCK_TRY(decimals, minor_decimals(plan.currency));
    if (!is_code(plan.code))
        return refuse("a plan needs a code of letters, digits, dots, hyphens and underscores, at most 63", "code");
    if (plan.months != 1 && plan.months != 12) return refuse("a period has 1 or 12 months", "months");
    if (plan.prices.empty()) return refuse("a plan needs at least one price", "prices");
    for (const Price& price : plan.prices) ROOTSTOCK_CHECKED(check(price));
    ROOTSTOCK_CHECKED(check_amounts(plan, decimals));
    ROOTSTOCK_CHECKED(check_limits(plan));
    return check_cached(plan);
}

constexpr const char* price_columns =
    "SELECT id, tenant_id, meter, model, rating, effective_from, effective_until FROM plan_price ";

template <typename... Args>
std::vector<Price> read_prices(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Price> prices;
    for (auto& [id, tenant, meter, model, rating, from, until] :
         session
             .query<std::string, TenantId, std::string, std::string, std::string, Timestamp, std::optional<Timestamp>>(
                 price_columns + where, args...)) {
        auto read = parse_rating(rating, "the price " + id);
        ROOTSTOCK_CHECK(read.has_value(), "a price in the books cannot be read");
        prices.push_back(
            {std::move(meter), std::move(model), std::move(*read), std::move(id), std::move(tenant), from, until});
    }
    return prices;
}

std::vector<Allowance> allowances_of(store::Session& session, const Plan& plan) {
    std::vector<Allowance> allowances;
    session.for_each<std::string, std::int64_t, bool>(
        "SELECT meter, quantity, hard FROM plan_allowance WHERE plan_code = :code AND plan_version = :version ORDER BY "
        "meter",
        [&](auto... columns) { allowances.push_back({std::move(columns)...}); }, plan.code, plan.version);
    return allowances;
}

using Count = std::optional<std::int64_t>;

std::optional<Plan> read_plan(store::Session& session, std::string_view code, std::int64_t version) {
    auto row = session.first<std::string, Micros, std::string, int, Micros, Micros, int, Micros, Count, Count, Count,
                             Timestamp>(
        "SELECT currency, credit_limit, name, months, fee, commitment, trial_days, trial_credit, requests_per_minute, "
        "tokens_per_minute, parallel, created_at FROM plan WHERE code = :code AND version = :version",
        code, version);
    if (!row) return std::nullopt;
    auto& [currency, limit, name, months, fee, commitment, days, credit, requests, tokens, parallel, created] = *row;
    Plan plan{std::string(code),
              version,
              currency,
              limit,
              {},
              name,
              months,
              fee,
              commitment,
              days,
              credit,
              {requests, tokens, parallel},
              {},
              created};
    plan.prices = read_prices(session,
                              "WHERE plan_code = :code AND plan_version = :version ORDER BY tenant_id, meter, model, "
                              "effective_from",
                              plan.code, plan.version);
    plan.allowances = allowances_of(session, plan);
    return plan;
}

void write_price(store::Session& session, const Plan& plan, const Price& price, Timestamp now) {
    session.execute(
        "INSERT INTO plan_price (id, plan_code, plan_version, tenant_id, meter, model, rating, effective_from, "
        "effective_until, created_at) VALUES (:id, :code, :version, :tenant, :meter, :model, :rating, :from, :until, "
        ":now)",
        price.id, plan.code, plan.version, price.tenant, price.meter, price.model,
        json::serialize(to_json(price.rating)), price.from, price.until, now);
}

void write_plan(store::Session& session, Plan& plan, Timestamp now) {
    session.execute(
        "INSERT INTO plan (code, version, currency, credit_limit, created_at, name, months, fee, commitment, "
        "trial_days, "
        "trial_credit, requests_per_minute, tokens_per_minute, parallel) VALUES (:code, :version, :currency, :limit, "
        ":now, "
        ":name, :months, :fee, :commitment, :days, :credit, :requests, :tokens, :parallel)",
        plan.code, plan.version, plan.currency, plan.credit_limit, now, plan.name, plan.months, plan.fee,
        plan.commitment, plan.trial_days, plan.trial_credit, plan.limits.requests_per_minute,
        plan.limits.tokens_per_minute, plan.limits.parallel);
    for (Price& price : plan.prices) {
        price.id = mint_id("pri", now);
        write_price(session, plan, price, now);
    }
    for (const Allowance& allowance : plan.allowances)
        session.execute(
            "INSERT INTO plan_allowance (plan_code, plan_version, meter, quantity, hard) VALUES (:code, :version, "
            ":meter, "
            ":quantity, :hard)",
            plan.code, plan.version, allowance.meter, allowance.quantity, allowance.hard);
}

// Two rows for the same would leave open which one holds.
Result<void> check_doubles(const Plan& plan) {
    for (auto price = plan.prices.begin(); price != plan.prices.end(); ++price)
        if (std::any_of(plan.prices.begin(), price, [&](const Price& other) {
                return other.meter == price->meter && other.model == price->model && other.tenant == price->tenant &&
                       other.from == price->from;
            }))
            return refuse("the plan has two prices for '" + price->meter + "' from the same instant on", "prices");
    return {};
}

}  // namespace

bool is_meter(std::string_view meter) { return std::ranges::find(meters, meter) != meters.end(); }

Price unit_price(std::string meter, std::string model, Micros amount, std::int64_t per) {
    auto rating = unit_rating(amount, per);
    ROOTSTOCK_CHECK(rating.has_value(), "a price per unit that is none");
    return {std::move(meter), std::move(model), std::move(*rating)};
}

Result<Plan> find_plan(store::Session& session, std::string_view code) {
    return find_plan(
        session, code,
        session.value<std::int64_t>("SELECT COALESCE(MAX(version), 0) FROM plan WHERE code = :code", code));
}

Result<Plan> find_plan(store::Session& session, std::string_view code, std::int64_t version) {
    auto plan = read_plan(session, code, version);
    if (plan) return std::move(*plan);
    return fail(ErrorCode::not_found, "there is no plan '" + std::string(code) + "'", "plan", "plan_not_found");
}

std::vector<Plan> plans(store::Session& session, std::string_view after, std::int64_t limit) {
    std::vector<Plan> all;
    for (const auto& [code, version] : session.query<std::string, std::int64_t>(
             "SELECT code, MAX(version) FROM plan WHERE code > :after GROUP BY code ORDER BY code LIMIT :limit", after,
             limit))
        all.push_back(*read_plan(session, code, version));
    return all;
}

Result<Plan> add_plan_version(store::Session& session, Plan plan, Timestamp now) {
    ROOTSTOCK_CHECKED(check(plan));
    ROOTSTOCK_CHECKED(check_doubles(plan));
    plan.version =
        1 + session.value<std::int64_t>("SELECT COALESCE(MAX(version), 0) FROM plan WHERE code = :code", plan.code);
    plan.created = now;
    write_plan(session, plan, now);
    return plan;
}

Result<Price> add_price(store::Session& session, std::string_view code, std::int64_t version, Price price,
                        Timestamp now) {
    ROOTSTOCK_TRY(plan, find_plan(session, code, version));
    if (price.from.micros == 0) price.from = now;
    ROOTSTOCK_CHECKED(check(price));
    if (price.from < now)
        return refuse("a price holds from now on or later: what was used is rated already", "effective_from");
    plan.prices.push_back(price);
    if (!check_doubles(plan))
        return fail(ErrorCode::conflict, "there is a price for this from the same instant on", "effective_from",
                    "price_exists");
    ROOTSTOCK_CHECKED(check_cached(plan));
    price.id = mint_id("pri", now);
    write_price(session, plan, price, now);
    return price;
}

Price price_of(store::Session& session, const std::string& id) {
    auto prices = read_prices(session, "WHERE id = :id", id);
    ROOTSTOCK_CHECK(prices.size() == 1, "a price that was rated by is gone");
    return std::move(prices.front());
}

Result<Balance> balance(store::Session& session, const TenantId& tenant) {
    auto row = session.first<std::string, std::string, std::int64_t, Micros, Micros, Micros, Micros>(
        "SELECT a.currency, s.plan_code, s.plan_version, b.posted_dr, b.posted_cr, b.pending_dr, a.debit_limit "
        "FROM subscription s JOIN ledger_account a ON a.id = s.account_id JOIN ledger_balance b ON b.account_id = a.id "
        "WHERE s.tenant_id = :tenant ORDER BY s.started_at DESC, s.id DESC LIMIT 1",
        tenant);
    if (!row) return no_books();
    auto& [currency, plan, version, debits, credits, held, limit] = *row;
    return Balance{currency, plan + " v" + std::to_string(version), debits - credits, held, limit};
}

PlanLimits plan_limits(store::Session& session, const TenantId& tenant) {
    auto row = session.first<Count, Count, Count>(
        "SELECT p.requests_per_minute, p.tokens_per_minute, p.parallel FROM subscription s JOIN plan p ON p.code = "
        "s.plan_code AND p.version = s.plan_version WHERE s.tenant_id = :tenant AND s.ended_at IS NULL",
        tenant);
    if (!row) return {};
    return {std::get<0>(*row), std::get<1>(*row), std::get<2>(*row)};
}

}  // namespace rootstock::ledger
