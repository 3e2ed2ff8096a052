#include "ledger/offer.h"

#include <map>

namespace rootstock::ledger {
namespace {

constexpr std::size_t text_max = 500;
constexpr std::int64_t position_max = 1'000'000;

std::unexpected<Error> none() {
    return fail(ErrorCode::not_found, "this plan is not on offer", "id", "offer_not_found");
}

constexpr const char* columns = "SELECT plan_code, position, name_zh, summary, summary_zh, changed_at FROM plan_offer ";

template <typename... Args>
std::vector<Offer> read(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Offer> found;
    session.for_each<std::string, std::int64_t, std::string, std::string, std::string, Timestamp>(
        columns + where, [&](auto... values) { found.push_back({std::move(values)...}); }, args...);
    return found;
}

Result<void> check(const Offer& offer) {
    if (offer.position < 0 || offer.position > position_max)
        return fail(ErrorCode::invalid_argument, "a position is a number from 0 to 1000000", "position");
    for (const auto& [text, field] :
         {std::pair(&offer.name_zh, "name_zh"), {&offer.summary, "summary"}, {&offer.summary_zh, "summary_zh"}})
        if (text->size() > text_max)
            return fail(ErrorCode::invalid_argument, std::string("'") + field + "' has at most 500 bytes", field);
    return {};
}

}  // namespace

Result<Offer> put_offer(store::Session& session, Offer offer, Timestamp now) {
    ROOTSTOCK_CHECKED(check(offer));
    ROOTSTOCK_TRY(plan, find_plan(session, offer.plan));
    const auto others =
        session.value<std::int64_t>("SELECT COUNT(*) FROM plan_offer WHERE plan_code <> :code", plan.code);
    if (others >= offers_max)
        return fail(ErrorCode::conflict, "at most 100 plans are on offer: withdraw one first", "id", "too_many");
    offer.changed = now;
    session.execute(
        "INSERT INTO plan_offer (plan_code, position, name_zh, summary, summary_zh, changed_at) VALUES (:code, "
        ":position, :name, :summary, :summary_zh, :now) ON CONFLICT (plan_code) DO UPDATE SET position = "
        "excluded.position, name_zh = excluded.name_zh, summary = excluded.summary, summary_zh = excluded.summary_zh, "
        "changed_at = excluded.changed_at",
        offer.plan, offer.position, offer.name_zh, offer.summary, offer.summary_zh, now);
    return offer;
}

Result<Offer> find_offer(store::Session& session, std::string_view plan) {
    auto found = read(session, "WHERE plan_code = :code", plan);
    if (found.empty()) return none();
    return std::move(found.front());
}

Result<Offer> withdraw_offer(store::Session& session, std::string_view plan) {
    ROOTSTOCK_TRY(offer, find_offer(session, plan));
    session.execute("DELETE FROM plan_offer WHERE plan_code = :code", plan);
    return std::move(offer);
}

std::vector<Offer> offers(store::Session& session) { return read(session, "ORDER BY position, plan_code"); }

std::vector<Price> public_prices(const Plan& plan, Timestamp now) {
    std::map<std::pair<std::string, std::string>, Price> holding;
    for (const Price& price : plan.prices) {
        if (!price.tenant.empty() || price.from > now || (price.until && *price.until <= now)) continue;
        auto [place, first] = holding.try_emplace({price.meter, price.model}, price);
        if (!first && place->second.from < price.from) place->second = price;
    }
    std::vector<Price> prices;
    for (auto& [key, price] : holding) prices.push_back(std::move(price));
    return prices;
}

json::object to_json(const Offer& offer) {
    return {{"plan", offer.plan},       {"position", offer.position},     {"name_zh", offer.name_zh},
            {"summary", offer.summary}, {"summary_zh", offer.summary_zh}, {"updated_at", to_iso8601(offer.changed)}};
}

}  // namespace rootstock::ledger
