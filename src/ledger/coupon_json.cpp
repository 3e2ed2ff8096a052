#include "ledger/coupon.h"
#include "ledger/zone.h"

namespace rootstock::ledger {
namespace {

constexpr std::int64_t number_max = 1'000'000'000'000;

json::value or_null(const std::optional<std::int64_t>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

json::value or_null(const std::optional<Timestamp>& instant) {
    return instant ? json::value(to_iso8601(*instant)) : json::value(nullptr);
}

std::optional<std::int64_t> number(JsonFields& fields, const char* key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return std::nullopt;
    return fields.required_int(key, 1, number_max);
}

// The end of a day in UTC, as people write the last day of something.
Result<std::optional<Timestamp>> last_day(JsonFields& fields, const char* key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return std::nullopt;
    auto date = read_date(fields.required_string(key));
    if (!date)
        return fail(ErrorCode::invalid_argument, "'" + std::string(key) + "' is a date such as 2026-11-23, in UTC",
                    key);
    return days_later("UTC", start_of_day("UTC", *date), 1);
}

}  // namespace

json::object to_json(const Coupon& coupon) {
    json::array plans;
    for (const auto& plan : coupon.plans) plans.emplace_back(plan);
    return {{"code", coupon.code},
            {"basis_points", coupon.basis_points},
            {"amount_minor", coupon.amount},
            {"currency", coupon.currency.empty() ? json::value(nullptr) : json::value(coupon.currency)},
            {"months", or_null(coupon.months)},
            {"plans", std::move(plans)},
            {"valid_until", or_null(coupon.valid_until)},
            {"redemptions_max", or_null(coupon.redemptions_max)},
            {"redeemed", coupon.redeemed},
            {"ended_at", or_null(coupon.ended)},
            {"created_at", to_iso8601(coupon.created)}};
}

json::object to_json(const Redemption& redemption) {
    return {{"id", redemption.id},
            {"coupon", redemption.coupon},
            {"tenant", redemption.tenant.text()},
            {"from", to_iso8601(redemption.from)},
            {"until", or_null(redemption.until)},
            {"redeemed_at", to_iso8601(redemption.redeemed)}};
}

Result<Coupon> read_coupon(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Coupon coupon{.code = fields.required_string("code"),
                  .basis_points = fields.optional_int("basis_points", 0, 0, 10'000),
                  .amount = fields.optional_int("amount_minor", 0, 0, number_max),
                  .currency = fields.optional_string("currency", ""),
                  .months = number(fields, "months"),
                  .redemptions_max = number(fields, "redemptions_max")};
    ROOTSTOCK_TRY(until, last_day(fields, "last_day"));
    coupon.valid_until = until;
    if (const auto* plans = fields.optional_value("plans"); plans && plans->is_array())
        for (const auto& plan : plans->as_array())
            if (plan.is_string()) coupon.plans.emplace_back(plan.as_string());
    ROOTSTOCK_CHECKED(fields.finish());
    return coupon;
}

}  // namespace rootstock::ledger
