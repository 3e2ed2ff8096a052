#include "ledger/terms.h"

#include <algorithm>
#include <array>

#include "ledger/accounts.h"
#include "ledger/subscription.h"

namespace rootstock::ledger {
namespace {

Rating by_use(Rating rating) {
    rating.nano_minimum = 0;
    if (rating.mode == RatingMode::flat) rating.tiers.front().nano_flat = 0;
    return rating;
}

// The prices that hold for a model now: of the tenant before the plan's, of the model before the general one, the
// newest.
void find_prices(store::Session& session, Terms& terms, const ReserveRequest& request, Timestamp now) {
    for (auto& [meter, id, rating] : session.query<std::string, std::string, std::string>(
             "SELECT meter, id, rating FROM plan_price WHERE plan_code = :code AND plan_version = :version AND (model "
             "= :model "
             "OR model = '') AND (tenant_id = :tenant OR tenant_id = '') AND effective_from <= :now AND "
             "(effective_until IS "
             "NULL OR effective_until > :same) ORDER BY tenant_id DESC, model DESC, effective_from DESC",
             terms.plan, terms.plan_version, request.model, request.tenant, now, now)) {
        Slot* slot = meter == request.meter     ? &terms.input
                     : meter == "output_tokens" ? &terms.output
                     : meter == "cached_tokens" ? &terms.cached
                     : meter == "requests"      ? &terms.requests
                                                : nullptr;
        if (!slot || !slot->price.empty()) continue;
        auto read = parse_rating(rating, "the price " + id);
        ROOTSTOCK_CHECK(read.has_value(), "a price in the books cannot be read");
        *slot = {std::move(id), *read, !read->linear()};
    }
}

std::unexpected<Error> no_price(const std::string& model, const char* what) {
    return fail(ErrorCode::permission_denied,
                "your plan has no price for " + std::string(what) + " of the model '" + model +
                    "'; ask for a plan that includes it",
                "model", "no_price");
}

}  // namespace

Result<Micros> Slot::most(std::int64_t quantity) const {
    if (price.empty()) return Micros{};
    if (!rated) return rate(quantity, nano(), nano_per);
    ROOTSTOCK_TRY(amount, rated_most(rating, quantity, 6));
    return Micros{amount} + Micros{amount > 0 ? 1 : 0};  // two roundings may differ by one
}

std::int64_t Terms::rated_bits() const {
    return (input.rated ? 1 : 0) + (output.rated ? 2 : 0) + (requests.rated ? 4 : 0);
}

Result<Micros> Terms::most(const ReserveRequest& request) const {
    ROOTSTOCK_TRY(in, input.most(request.tokens_max));
    ROOTSTOCK_TRY(out, output.most(request.output_tokens_max));
    ROOTSTOCK_TRY(each, requests.most(1));
    return in + out + each;
}

Result<Terms> terms_of(store::Session& session, const ReserveRequest& request, Timestamp now) {
    ROOTSTOCK_TRY(one, subscription_of(session, request.tenant));
    if (one.state == SubscriptionState::suspended || one.state == SubscriptionState::canceled)
        return fail(ErrorCode::permission_denied,
                    std::string("the subscription is ") + name(one.state) + ": settle your balance or make a new one",
                    {}, "subscription_state");
    Terms terms{one.account, one.plan, one.plan_version, one.period_at(now).start};
    find_prices(session, terms, request, now);
    if (terms.input.price.empty() && request.meter == rows_meter) return no_price(request.model, "the rows");
    if (terms.input.price.empty()) return no_books();
    if (request.output_tokens_max == 0) {
        terms.output = {};
    } else if (terms.output.price.empty()) {
        return no_price(request.model, "the output");
    }
    return terms;
}

Result<Micros> charge_rated(store::Session& session, const TenantId& tenant, const std::string& price, Timestamp period,
                            std::int64_t quantity) {
    session.execute(
        "INSERT INTO period_usage (tenant_id, price_id, period_start, quantity, charged) VALUES (:tenant, :price, "
        ":period, 0, "
        "0) ON CONFLICT (tenant_id, price_id, period_start) DO NOTHING",
        tenant, price, period);
    session.execute(
        "UPDATE period_usage SET quantity = quantity + :more WHERE tenant_id = :tenant AND price_id = :price AND "
        "period_start "
        "= :period",
        quantity, tenant, price, period);
    const auto [whole, charged] = *session.first<std::int64_t, Micros>(
        "SELECT quantity, charged FROM period_usage WHERE tenant_id = :tenant AND price_id = :price AND period_start = "
        ":period",
        tenant, price, period);
    ROOTSTOCK_TRY(due, rated(by_use(price_of(session, price).rating), whole, 6));
    const Micros more = std::max(Micros{due} - charged, Micros{});
    session.execute(
        "UPDATE period_usage SET charged = charged + :more WHERE tenant_id = :tenant AND price_id = :price AND "
        "period_start = "
        ":period",
        more, tenant, price, period);
    return more;
}

// ---- allowances ----

namespace {

struct Part {
    std::int64_t bit;
    std::string meter;
    std::int64_t quantity;
};

std::array<Part, 3> parts_of(const Quantities& all) {
    return {{{1, all.meter, all.input}, {2, "output_tokens", all.output}, {4, "requests", all.requests}}};
}

std::unexpected<Error> allowance_used(const std::string& meter, std::int64_t limit) {
    return fail(
        ErrorCode::insufficient_quota,
        "the plan allows " + std::to_string(limit) + " " + meter +
            " in a period, and what is left does not cover this request: wait for the next period or change the plan",
        {}, "allowance_used");
}

}  // namespace

Result<std::int64_t> hold_allowances(store::Session& session, const Terms& terms, const TenantId& tenant,
                                     const Quantities& most) {
    std::int64_t bits = 0;
    for (const auto& [meter, limit, hard] : session.query<std::string, std::int64_t, bool>(
             "SELECT meter, quantity, hard FROM plan_allowance WHERE plan_code = :code AND plan_version = :version",
             terms.plan, terms.plan_version))
        for (const Part& part : parts_of(most)) {
            if (part.meter != meter || part.quantity == 0) continue;
            session.execute(
                "INSERT INTO allowance (tenant_id, meter, period_start, used, held) VALUES (:tenant, :meter, :period, "
                "0, 0) ON "
                "CONFLICT (tenant_id, meter, period_start) DO NOTHING",
                tenant, meter, terms.period_start);
            const auto held = session.execute(
                "UPDATE allowance SET held = held + :more WHERE tenant_id = :tenant AND meter = :meter AND "
                "period_start = "
                ":period AND (:soft = 1 OR used + held + :again <= :limit)",
                part.quantity, tenant, meter, terms.period_start, !hard, part.quantity, limit);
            if (held == 0) return allowance_used(meter, limit);
            bits += part.bit;
        }
    return bits;
}

void settle_allowances(store::Session& session, const TenantId& tenant, Timestamp period, std::int64_t bits,
                       const Quantities& most, const Quantities& used) {
    const auto held = parts_of(most), spent = parts_of(used);
    for (std::size_t i = 0; i < held.size(); ++i) {
        if ((bits & held[i].bit) == 0) continue;
        const auto changed = session.execute(
            "UPDATE allowance SET held = held - :held, used = used + :used WHERE tenant_id = :tenant AND meter = "
            ":meter AND "
            "period_start = :period",
            held[i].quantity, spent[i].quantity, tenant, held[i].meter, period);
        ROOTSTOCK_CHECK(changed == 1, "an allowance that was held is gone");
    }
}

}  // namespace rootstock::ledger
