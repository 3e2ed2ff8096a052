#include "ledger/coupon.h"

#include <algorithm>

#include "ledger/plan.h"
#include "ledger/subscription.h"

namespace rootstock::ledger {
namespace {

constexpr std::size_t code_min = 3, code_max = 40, plans_max = 100;
constexpr std::int64_t months_max = 120;

using Number = std::optional<std::int64_t>;
using Moment = std::optional<Timestamp>;

std::unexpected<Error> refuse(const char* sentence, const char* field) {
    return fail(ErrorCode::invalid_argument, sentence, field);
}

std::unexpected<Error> none() {
    return fail(ErrorCode::not_found, "there is no such coupon, or it does not hold here any more", "code",
                "coupon_not_found");
}

// As it is kept: in capitals.
std::string shouted(std::string_view code) {
    std::string out(code);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    return out;
}

bool is_code(std::string_view code) {
    return code.size() >= code_min && code.size() <= code_max && std::ranges::all_of(code, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
           });
}

std::string joined(const std::vector<std::string>& plans) {
    std::string text = plans.empty() ? "" : " ";
    for (const auto& plan : plans) text += plan + " ";
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> plans;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) plans.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return plans;
}

constexpr const char* columns =
    "SELECT code, basis_points, amount, currency, months, plans, valid_until, redemptions_max, redeemed, ended_at, "
    "created_at FROM coupon ";

template <typename... Args>
std::vector<Coupon> read(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Coupon> found;
    session.for_each<std::string, std::int64_t, std::int64_t, std::string, Number, std::string, Moment, Number,
                     std::int64_t, Moment, Timestamp>(
        columns + where,
        [&](std::string code, std::int64_t points, std::int64_t amount, std::string currency, Number months,
            const std::string& plans, Moment until, Number most, std::int64_t redeemed, Moment ended, Timestamp made) {
            found.push_back({std::move(code), points, amount, std::move(currency), months, split(plans), until, most,
                             redeemed, ended, made});
        },
        args...);
    return found;
}

template <typename... Args>
std::vector<Redemption> read_redemptions(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Redemption> found;
    session.for_each<std::string, std::string, TenantId, Timestamp, Moment, Timestamp>(
        "SELECT id, coupon, tenant_id, holds_from, holds_until, redeemed_at FROM coupon_redemption " + where,
        [&](auto... values) { found.push_back({std::move(values)...}); }, args...);
    return found;
}

Result<void> check_worth(const Coupon& coupon) {
    if (coupon.basis_points < 0 || coupon.basis_points > 10'000)
        return refuse("a percentage is 1 to 10000 basis points", "basis_points");
    if (coupon.amount < 0) return refuse("an amount is above zero", "amount");
    if ((coupon.basis_points > 0) == (coupon.amount > 0))
        return refuse("a coupon takes off a percentage or an amount, one of them", "basis_points");
    if (coupon.amount > 0) {
        ROOTSTOCK_CHECKED(minor_decimals(coupon.currency));
    } else if (!coupon.currency.empty()) {
        return refuse("a percentage has no currency", "currency");
    }
    return {};
}

Result<void> check(store::Session& session, const Coupon& coupon, Timestamp now) {
    if (!is_code(coupon.code)) return refuse("a code has 3 to 40 letters, digits and hyphens", "code");
    ROOTSTOCK_CHECKED(check_worth(coupon));
    if (coupon.months && (*coupon.months < 1 || *coupon.months > months_max))
        return refuse("a coupon holds for 1 to 120 months; leave them out for ever", "months");
    if (coupon.redemptions_max && *coupon.redemptions_max < 1)
        return refuse("a coupon is redeemed once at least; leave the limit out for any number", "redemptions_max");
    if (coupon.valid_until && *coupon.valid_until <= now) return refuse("this instant is past", "valid_until");
    if (coupon.plans.size() > plans_max) return refuse("a coupon names at most 100 plans", "plans");
    for (const auto& plan : coupon.plans) ROOTSTOCK_CHECKED(find_plan(session, plan));
    return {};
}

bool fits(const Coupon& coupon, const std::string& plan, const std::string& currency) {
    if (coupon.amount > 0 && coupon.currency != currency) return false;
    return coupon.plans.empty() || std::ranges::find(coupon.plans, plan) != coupon.plans.end();
}

// From the period that runs (in a trial: the first that is paid for) up to the end of the last that it holds for.
Redemption window_of(const Subscription& one, const Coupon& coupon, Timestamp now) {
    const Cycle cycle = one.cycle();
    const bool trial = one.state == SubscriptionState::trial && one.trial_end;
    const std::int64_t first = cycle.number_at(trial ? *one.trial_end : now);
    Redemption redemption{
        .coupon = coupon.code, .tenant = one.tenant, .from = cycle.period(first).start, .redeemed = now};
    if (!coupon.months) return redemption;
    const std::int64_t periods = (*coupon.months + one.months - 1) / one.months;
    redemption.until = cycle.period(first + periods - 1).end;
    return redemption;
}

Result<void> expect_room(store::Session& session, const Redemption& wanted) {
    for (const auto& other :
         read_redemptions(session, "WHERE tenant_id = :tenant ORDER BY redeemed_at", wanted.tenant)) {
        if (other.coupon == wanted.coupon)
            return fail(ErrorCode::conflict, "this coupon was redeemed here before", "code", "coupon_running");
        if (!other.until || *other.until > wanted.from)
            return fail(ErrorCode::conflict, "the coupon " + other.coupon + " holds here still: one at a time", "code",
                        "coupon_running");
    }
    return {};
}

// The one statement in which the last redemption is given away.
bool count_one(store::Session& session, const std::string& code, Timestamp now) {
    return session.execute(
               "UPDATE coupon SET redeemed = redeemed + 1 WHERE code = :code AND ended_at IS NULL AND (valid_until IS "
               "NULL OR valid_until > :now) AND (redemptions_max IS NULL OR redeemed < redemptions_max)",
               code, now) == 1;
}

std::string worth_text(const Coupon& coupon) {
    if (coupon.basis_points == 0) return "";
    const auto whole = std::to_string(coupon.basis_points / 100);
    const auto rest = std::to_string(100 + coupon.basis_points % 100).substr(1);
    return ", " + whole + (rest == "00" ? "" : "." + rest) + " % off";
}

}  // namespace

Result<Coupon> add_coupon(store::Session& session, Coupon coupon, Timestamp now) {
    coupon.code = shouted(coupon.code);
    ROOTSTOCK_CHECKED(check(session, coupon, now));
    const auto added = session.execute(
        "INSERT INTO coupon (code, basis_points, amount, currency, months, plans, valid_until, redemptions_max, "
        "redeemed, created_at) VALUES (:code, :points, :amount, :currency, :months, :plans, :until, :most, 0, :now) ON "
        "CONFLICT (code) DO NOTHING",
        coupon.code, coupon.basis_points, coupon.amount, coupon.currency, coupon.months, joined(coupon.plans),
        coupon.valid_until, coupon.redemptions_max, now);
    if (added == 0)
        return fail(ErrorCode::already_exists, "there is a coupon with this code already", "code", "coupon_exists");
    return find_coupon(session, coupon.code);
}

Result<Coupon> find_coupon(store::Session& session, std::string_view code) {
    auto found = read(session, "WHERE code = :code", shouted(code));
    if (found.empty()) return none();
    return std::move(found.front());
}

Result<Coupon> end_coupon(store::Session& session, std::string_view code, Timestamp now) {
    ROOTSTOCK_TRY(coupon, find_coupon(session, code));
    session.execute("UPDATE coupon SET ended_at = :now WHERE code = :code AND ended_at IS NULL", now, coupon.code);
    return find_coupon(session, coupon.code);
}

std::vector<Coupon> coupons(store::Session& session, std::string_view after, std::int64_t limit) {
    return read(session, "WHERE code > :after ORDER BY code LIMIT :limit", after, limit);
}

Result<Redemption> redeem(store::Session& session, const TenantId& tenant, std::string_view code, Timestamp now) {
    ROOTSTOCK_TRY(one, subscription_of(session, tenant));
    ROOTSTOCK_TRY(coupon, find_coupon(session, code));
    ROOTSTOCK_TRY(plan, find_plan(session, one.plan, one.plan_version));
    if (one.state == SubscriptionState::canceled || !fits(coupon, plan.code, plan.currency)) return none();
    Redemption redemption = window_of(one, coupon, now);
    ROOTSTOCK_CHECKED(expect_room(session, redemption));
    if (!count_one(session, coupon.code, now)) return none();
    redemption.id = mint_id("red", now);
    session.execute(
        "INSERT INTO coupon_redemption (id, coupon, tenant_id, holds_from, holds_until, redeemed_at) VALUES (:id, "
        ":coupon, :tenant, :from, :until, :now)",
        redemption.id, redemption.coupon, redemption.tenant, redemption.from, redemption.until, now);
    return redemption;
}

std::vector<Redemption> redemptions(store::Session& session, const std::optional<TenantId>& tenant,
                                    std::string_view after, std::int64_t limit) {
    return read_redemptions(session,
                            "WHERE (:everybody = 1 OR tenant_id = :only) AND id > :after ORDER BY id LIMIT :limit",
                            tenant ? 0 : 1, tenant.value_or(TenantId{}), after, limit);
}

std::optional<ChargeLine> discount_line(store::Session& session, const TenantId& tenant, const std::string& plan,
                                        const Period& period, std::int64_t sum, const std::string& currency,
                                        int decimals) {
    if (sum <= 0) return std::nullopt;
    const auto holding = read_redemptions(
        session,
        "WHERE tenant_id = :tenant AND holds_from <= :start AND (holds_until IS NULL OR holds_until > :same) ORDER BY "
        "redeemed_at, id LIMIT 1",
        tenant, period.start, period.start);
    if (holding.empty()) return std::nullopt;
    const Coupon coupon = find_coupon(session, holding.front().coupon).value();
    if (!fits(coupon, plan, currency)) return std::nullopt;
    const std::int64_t off = coupon.amount > 0 ? coupon.amount : rate(sum, Micros{coupon.basis_points}, 10'000).value;
    if (off == 0) return std::nullopt;
    return ChargeLine{
        .kind = "discount",
        .meter = {},
        .model = {},
        .quantity = 1,
        .unit = "coupon " + coupon.code + worth_text(coupon),
        .service = period,
        .amount = -std::min(off, sum),
        .currency = currency,
        .decimals = decimals,
        .detail = json::serialize(json::object{
            {"coupon", coupon.code}, {"basis_points", coupon.basis_points}, {"amount", coupon.amount}, {"of", sum}})};
}

}  // namespace rootstock::ledger
