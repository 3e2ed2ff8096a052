#include "ledger/plan_json.h"

#include "ledger/zone.h"

namespace rootstock::ledger {
namespace {

constexpr std::size_t prices_max = 1000;
constexpr std::int64_t limit_max = 1'000'000'000'000;

json::value or_null(const std::optional<std::int64_t>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

std::unexpected<Error> refuse(std::string sentence, std::string field) {
    return fail(ErrorCode::invalid_argument, std::move(sentence), std::move(field));
}

Result<Micros> amount(JsonFields& fields, const char* key) {
    const auto text = fields.optional_string(key, "0");
    auto read = parse_micros(text);
    if (!read) return refuse(read.error().message, key);
    return *read;
}

std::optional<std::int64_t> limit(JsonFields& fields, const char* key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return std::nullopt;
    return fields.required_int(key, 1, limit_max);
}

// The start of a day in UTC: a price book begins with a date.
Result<std::optional<Timestamp>> day(JsonFields& fields, const char* key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return std::nullopt;
    auto date = read_date(fields.required_string(key));
    if (!date) return refuse("'" + std::string(key) + "' is a date such as 2026-11-23, in UTC", key);
    return start_of_day("UTC", *date);
}

template <typename Read>
Result<void> each(JsonFields& fields, const char* key, Read read) {
    const auto* list = fields.optional_value(key);
    if (!list) return {};
    if (!list->is_array() || list->as_array().size() > prices_max)
        return refuse("'" + std::string(key) + "' is a list of at most 1000", key);
    for (const auto& item : list->as_array()) ROOTSTOCK_CHECKED(read(item));
    return {};
}

Result<Allowance> read_allowance(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Allowance allowance{fields.required_string("meter"), fields.required_int("quantity", 0, Tier::endless),
                        fields.optional_bool("hard", true)};
    ROOTSTOCK_CHECKED(fields.finish());
    return allowance;
}

Result<void> read_limits(Plan& plan, JsonFields& fields, std::string_view what) {
    const auto* value = fields.optional_value("limits");
    if (!value) return {};
    JsonFields limits(*value, what);
    plan.limits = {limit(limits, "requests_per_minute"), limit(limits, "tokens_per_minute"), limit(limits, "parallel")};
    return limits.finish();
}

Result<void> read_amounts(Plan& plan, JsonFields& fields) {
    ROOTSTOCK_TRY(credit, amount(fields, "credit_limit"));
    ROOTSTOCK_TRY(fee, amount(fields, "fee"));
    ROOTSTOCK_TRY(commitment, amount(fields, "commitment"));
    ROOTSTOCK_TRY(trial, amount(fields, "trial_credit"));
    plan.credit_limit = credit;
    plan.fee = fee;
    plan.commitment = commitment;
    plan.trial_credit = trial;
    return {};
}

}  // namespace

json::object to_json(const Price& price) {
    return {{"id", price.id},
            {"tenant", price.tenant.empty() ? json::value(nullptr) : json::value(price.tenant.text())},
            {"meter", price.meter},
            {"model", price.model.empty() ? json::value(nullptr) : json::value(price.model)},
            {"rating", to_json(price.rating)},
            {"effective_from", to_iso8601(price.from)},
            {"effective_until", price.until ? json::value(to_iso8601(*price.until)) : json::value(nullptr)}};
}

json::object to_json(const Plan& plan) {
    json::array prices, allowances;
    for (const Price& price : plan.prices) prices.push_back(to_json(price));
    for (const Allowance& allowance : plan.allowances)
        allowances.push_back(
            json::object{{"meter", allowance.meter}, {"quantity", allowance.quantity}, {"hard", allowance.hard}});
    return {{"code", plan.code},
            {"version", plan.version},
            {"name", plan.name},
            {"currency", plan.currency},
            {"months", plan.months},
            {"fee", format_exact(plan.fee)},
            {"commitment", format_exact(plan.commitment)},
            {"credit_limit", format_exact(plan.credit_limit)},
            {"trial_days", plan.trial_days},
            {"trial_credit", format_exact(plan.trial_credit)},
            {"limits", json::object{{"requests_per_minute", or_null(plan.limits.requests_per_minute)},
                                    {"tokens_per_minute", or_null(plan.limits.tokens_per_minute)},
                                    {"parallel", or_null(plan.limits.parallel)}}},
            {"allowances", std::move(allowances)},
            {"prices", std::move(prices)},
            {"created_at", to_iso8601(plan.created)}};
}

Result<Price> read_price(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Price price{fields.required_string("meter"), fields.optional_string("model", "")};
    ROOTSTOCK_TRY(from, day(fields, "effective_from"));
    ROOTSTOCK_TRY(until, day(fields, "effective_until"));
    price.from = from.value_or(Timestamp{});
    price.until = until;
    const auto* rating = fields.required_value("rating");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(read, read_rating(*rating, what));
    price.rating = std::move(read);
    return price;
}

Result<Plan> read_plan(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Plan plan{.code = fields.required_string("code"),
              .currency = fields.optional_string("currency", "USD"),
              .credit_limit = {},
              .prices = {},
              .name = fields.optional_string("name", ""),
              .months = static_cast<int>(fields.optional_int("months", 1, 1, 12)),
              .trial_days = static_cast<int>(fields.optional_int("trial_days", 0, 0, 366))};
    ROOTSTOCK_CHECKED(read_amounts(plan, fields));
    ROOTSTOCK_CHECKED(read_limits(plan, fields, what));
    ROOTSTOCK_CHECKED(each(fields, "prices", [&](const json::value& item) -> Result<void> {
        ROOTSTOCK_TRY(price, read_price(item, what));
        plan.prices.push_back(std::move(price));
        return {};
    }));
    ROOTSTOCK_CHECKED(each(fields, "allowances", [&](const json::value& item) -> Result<void> {
        ROOTSTOCK_TRY(allowance, read_allowance(item, what));
        plan.allowances.push_back(std::move(allowance));
        return {};
    }));
    ROOTSTOCK_CHECKED(fields.finish());
    return plan;
}

Result<Plan> parse_plan(std::string_view text, std::string_view what) {
    ROOTSTOCK_TRY(value, parse_json(text, what));
    return read_plan(value, what);
}

}  // namespace rootstock::ledger
