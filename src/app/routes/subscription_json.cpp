#include "app/routes/subscription_json.h"

namespace rootstock {
namespace {

json::value instant(const std::optional<Timestamp>& at) {
    return at ? json::value(to_iso8601(*at)) : json::value(nullptr);
}

json::value number(const std::optional<std::int64_t>& limit) {
    return limit ? json::value(*limit) : json::value(nullptr);
}

}  // namespace

json::object to_json(const ledger::Subscription& one, Timestamp now) {
    const auto period = one.period_at(now);
    return {{"id", one.id},
            {"tenant", one.tenant.text()},
            {"plan", one.plan},
            {"plan_version", one.plan_version},
            {"status", ledger::name(one.state)},
            {"timezone", one.timezone},
            {"anchor", ledger::date_text(one.anchor)},
            {"payable", one.payable},
            {"started_at", to_iso8601(one.started)},
            {"current_period_start", to_iso8601(period.start)},
            {"current_period_end", to_iso8601(period.end)},
            {"trial_end", instant(one.trial_end)},
            {"past_due_at", instant(one.past_due)},
            {"cancel_at", instant(one.cancel_at)},
            {"ended_at", instant(one.ended)},
            {"change_at", instant(one.change_at)},
            {"change_plan", one.change_plan.empty() ? json::value(nullptr) : json::value(one.change_plan)},
            {"version", one.version}};
}

json::object to_json(const ledger::PlanChange& change) {
    json::array lines;
    for (const auto& line : change.lines)
        lines.push_back(json::object{{"text", line.unit},
                                     {"amount_minor", line.amount},
                                     {"service_start", to_iso8601(line.service.start)},
                                     {"service_end", to_iso8601(line.service.end)}});
    return {{"plan", change.plan.code},     {"plan_version", change.plan.version}, {"at_once", change.at_once},
            {"at", to_iso8601(change.at)},  {"currency", change.plan.currency},    {"lines", std::move(lines)},
            {"amount_minor", change.amount}};
}

json::object to_json(const ledger::Grant& grant) {
    return {{"id", grant.id},
            {"tenant", grant.tenant.text()},
            {"kind", ledger::name(grant.kind)},
            {"state", grant.state},
            {"currency", grant.currency},
            {"amount", format_exact(grant.amount)},
            {"remaining", format_exact(grant.remaining)},
            {"priority", grant.priority},
            {"effective_at", to_iso8601(grant.effective)},
            {"expires_at", instant(grant.expires)},
            {"source", grant.source},
            {"created_at", to_iso8601(grant.created)}};
}

json::object to_json(const ledger::Quota& quota) {
    json::array allowances;
    for (const auto& one : quota.allowances)
        allowances.push_back(json::object{{"meter", one.meter},
                                          {"quantity", one.quantity},
                                          {"used", one.used},
                                          {"held", one.held},
                                          {"remaining", one.remaining()},
                                          {"hard", one.hard}});
    const auto& books = quota.balance;
    return {{"plan", quota.subscription.plan},
            {"plan_version", quota.subscription.plan_version},
            {"status", ledger::name(quota.subscription.state)},
            {"period_start", to_iso8601(quota.period.start)},
            {"period_end", to_iso8601(quota.period.end)},
            {"currency", books.currency},
            {"owed", format_exact(books.owed)},
            {"held", format_exact(books.held)},
            {"limit", format_exact(books.limit)},
            {"available", format_exact(books.limit - books.owed - books.held)},
            {"limits", json::object{{"requests_per_minute", number(quota.limits.requests_per_minute)},
                                    {"tokens_per_minute", number(quota.limits.tokens_per_minute)},
                                    {"parallel", number(quota.limits.parallel)}}},
            {"allowances", std::move(allowances)}};
}

}  // namespace rootstock
