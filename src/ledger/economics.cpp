#include "ledger/economics.h"

#include <map>

#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

constexpr std::int64_t micros_per_hour = 3'600'000'000;

// The finest grain: one tenant with one model and adapter. Costs are rounded here once; every other figure is a sum.
struct Grain {
    TenantId tenant;
    std::string model, adapter, adapter_id;
    auto operator<=>(const Grain&) const = default;
};

using Grains = std::map<Grain, EconomicsRow>;

std::vector<MachinePrice> price_history(store::Session& session) {
    std::vector<MachinePrice> prices;
    for (auto& [currency, per_hour, from] : session.query<std::string, Micros, Timestamp>(
             "SELECT currency, per_hour, effective_from FROM cost_rate WHERE device = 'machine' "
             "ORDER BY effective_from"))
        prices.push_back({std::move(currency), per_hour, from});
    ROOTSTOCK_CHECK(!prices.empty(), "the migrations put in a machine price");
    return prices;
}

void add_serving(store::Session& session, Grains& grains, const Period& span, Micros per_hour) {
    session.for_each<TenantId, std::string, std::string, std::string, std::int64_t, std::int64_t, std::int64_t,
                     std::int64_t, Micros>(
        "SELECT tenant_id, model, adapter, adapter_id, COUNT(*), CAST(SUM(input_tokens) AS BIGINT), "
        "CAST(SUM(output_tokens) AS BIGINT), "
        "CAST(SUM(compute_micros) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM usage_event "
        "WHERE occurred_at >= :start AND occurred_at < :end GROUP BY tenant_id, model, adapter, adapter_id",
        [&](TenantId tenant, std::string model, std::string adapter, std::string id, std::int64_t requests,
            std::int64_t tokens, std::int64_t written, std::int64_t compute, Micros amount) {
            EconomicsRow& row = grains[{std::move(tenant), std::move(model), std::move(adapter), std::move(id)}];
            row.requests += requests;
            row.input_tokens += tokens;
            row.output_tokens += written;
            row.serving_micros += compute;
            row.revenue = row.revenue + amount;
            row.serving_cost = row.serving_cost + rate(compute, per_hour, micros_per_hour);
        },
        span.start, span.end);
}

void add_work(store::Session& session, Grains& grains, const Period& span, Micros per_hour) {
    session.for_each<std::string, TenantId, std::string, std::string, std::string, std::int64_t>(
        "SELECT kind, tenant_id, model, adapter, adapter_id, CAST(SUM(compute_micros) AS BIGINT) FROM cost_event "
        "WHERE occurred_at >= :start AND occurred_at < :end GROUP BY kind, tenant_id, model, adapter, adapter_id",
        [&](std::string kind, TenantId tenant, std::string model, std::string adapter, std::string id,
            std::int64_t compute) {
            EconomicsRow& row = grains[{std::move(tenant), std::move(model), std::move(adapter), std::move(id)}];
            const bool training = kind == "training";
            std::int64_t& micros = training ? row.training_micros : row.serving_micros;
            Micros& cost = training ? row.training_cost : row.serving_cost;
            micros += compute;
            cost = cost + rate(compute, per_hour, micros_per_hour);
        },
        span.start, span.end);
}

// Each price of the machine applies from its instant to the next one's.
Grains collect(store::Session& session, const Period& period, const std::vector<MachinePrice>& prices) {
    Grains grains;
    for (std::size_t i = 0; i < prices.size(); ++i) {
        const Timestamp until = i + 1 < prices.size() ? prices[i + 1].from : period.end;
        const Period span{std::max(period.start, i == 0 ? period.start : prices[i].from), std::min(period.end, until)};
        if (span.start >= span.end) continue;
        add_serving(session, grains, span, prices[i].per_hour);
        add_work(session, grains, span, prices[i].per_hour);
    }
    return grains;
}

void add(EconomicsRow& sum, const EconomicsRow& row) {
    sum.requests += row.requests;
    sum.input_tokens += row.input_tokens;
    sum.output_tokens += row.output_tokens;
    sum.serving_micros += row.serving_micros;
    sum.training_micros += row.training_micros;
    sum.revenue = sum.revenue + row.revenue;
    sum.serving_cost = sum.serving_cost + row.serving_cost;
    sum.training_cost = sum.training_cost + row.training_cost;
    sum.margin = sum.revenue - sum.serving_cost - sum.training_cost;
}

void fold(const Grains& grains, Economics& economics) {
    std::map<TenantId, EconomicsRow> tenants;
    std::map<std::tuple<std::string, std::string, std::string>, EconomicsRow> models;
    for (const auto& [grain, row] : grains) {
        add(tenants[grain.tenant], row);
        add(models[{grain.model, grain.adapter, grain.adapter_id}], row);
        add(economics.total, row);
    }
    for (auto& [tenant, row] : tenants) economics.by_tenant.emplace_back(std::move(row)).tenant = tenant;
    for (auto& [key, row] : models) {
        EconomicsRow& added = economics.by_model.emplace_back(std::move(row));
        added.model = std::get<0>(key);
        added.adapter = std::get<1>(key);
    }
}

Result<std::string> only_currency(store::Session& session) {
    const auto currencies = session.query<std::string>(
        "SELECT currency FROM cost_rate UNION SELECT currency FROM ledger_account ORDER BY 1");
    if (currencies.size() == 1) return std::get<0>(currencies.front());
    return fail(ErrorCode::unsupported,
                "the books and the machine price are in several currencies, which are never added up: give the machine "
                "price in the currency of the plans",
                "currency", "several_currencies");
}

}  // namespace

MachinePrice machine_price(store::Session& session, Timestamp at) {
    const auto prices = price_history(session);
    MachinePrice current = prices.front();
    for (const MachinePrice& price : prices)
        if (price.from <= at) current = price;
    return current;
}

Result<void> set_machine_price(store::Session& session, const MachinePrice& price) {
    ROOTSTOCK_CHECKED(minor_decimals(price.currency));
    if (price.per_hour.value < 0)
        return fail(ErrorCode::invalid_argument, "a machine hour costs zero or more", "machine_price");
    const auto foreign = session.first<std::string>(
        "SELECT currency FROM ledger_account WHERE currency <> :currency LIMIT 1", price.currency);
    if (foreign)
        return fail(ErrorCode::unsupported,
                    "the books are in " + std::get<0>(*foreign) + ": give the machine price in that currency",
                    "currency", "several_currencies");
    session.execute(
        "INSERT INTO cost_rate (device, effective_from, currency, per_hour) VALUES ('machine', :from, :currency, "
        ":price) ON CONFLICT (device, effective_from) DO UPDATE SET per_hour = excluded.per_hour, "
        "currency = excluded.currency",
        price.from, price.currency, price.per_hour);
    return {};
}

void book_work(store::Session& session, const Work& work, Timestamp now) {
    session.execute(
        "INSERT INTO cost_event (kind, ref, tenant_id, model, adapter, adapter_id, compute_micros, occurred_at) "
        "VALUES (:kind, :ref, :tenant, :model, :adapter, :adapter_id, :compute, :now) ON CONFLICT (kind, ref) DO "
        "NOTHING",
        work.kind, work.ref, work.tenant, work.model, work.adapter, work.adapter_id, work.compute_micros, now);
}

Result<Economics> economics(store::Session& session, const Period& period) {
    ROOTSTOCK_TRY(currency, only_currency(session));
    Economics economics{period, currency, {}, {}, {}};
    fold(collect(session, period, price_history(session)), economics);
    return economics;
}

}  // namespace rootstock::ledger
