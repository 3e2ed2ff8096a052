#include "ledger/subscription.h"

#include <algorithm>
#include <array>

#include "ledger/accounts.h"
#include "ledger/wallet.h"

namespace rootstock::ledger {
namespace {

using State = SubscriptionState;

constexpr std::array<std::pair<State, const char*>, 5> names{{{State::trial, "trial"},
                                                              {State::active, "active"},
                                                              {State::past_due, "past_due"},
                                                              {State::suspended, "suspended"},
                                                              {State::canceled, "canceled"}}};
constexpr std::array<std::pair<State, State>, 10> legal{{{State::trial, State::active},
                                                         {State::trial, State::suspended},
                                                         {State::trial, State::canceled},
                                                         {State::active, State::past_due},
                                                         {State::active, State::canceled},
                                                         {State::past_due, State::active},
                                                         {State::past_due, State::suspended},
                                                         {State::past_due, State::canceled},
                                                         {State::suspended, State::active},
                                                         {State::suspended, State::canceled}}};
constexpr Date calendar_anchor{std::chrono::year(1970), std::chrono::January, std::chrono::day(1)};

State state_of(std::string_view text) {
    const auto known = std::ranges::find(names, text, [](const auto& pair) { return std::string_view(pair.second); });
    ROOTSTOCK_CHECK(known != names.end(), "a subscription in an unknown state");
    return known->first;
}

std::unexpected<Error> conflict(const std::string& sentence) {
    return fail(ErrorCode::conflict, sentence, {}, "subscription_state");
}

using Moment = std::optional<Timestamp>;

constexpr const char* columns =
    "SELECT s.id, s.tenant_id, s.plan_code, s.plan_version, s.status, s.account_id, s.timezone, s.anchor, p.months, "
    "s.payable, s.started_at, s.ended_at, s.trial_end, s.past_due_at, s.cancel_at, s.change_at, s.change_code, "
    "s.change_version, s.version FROM subscription s JOIN plan p ON p.code = s.plan_code AND p.version = "
    "s.plan_version ";

template <typename... Args>
std::vector<Subscription> read(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Subscription> found;
    for (auto& [id, tenant, plan, version, state, account, zone, anchor, months, payable, started, ended, trial, due,
                cancel, change, code, number, row] :
         session.query<std::string, TenantId, std::string, std::int64_t, std::string, std::string, std::string,
                       std::string, int, bool, Timestamp, Moment, Moment, Moment, Moment, Moment, std::string,
                       std::int64_t, std::int64_t>(columns + where, args...))
        found.push_back({id, tenant, plan, version, state_of(state), account, zone, read_date(anchor).value(), months,
                         payable, started, ended, trial, due, cancel, change, code, number, row});
    return found;
}

void write(store::Session& session, const Subscription& one) {
    const auto changed = session.execute(
        "UPDATE subscription SET plan_code = :plan, plan_version = :plan_version, status = :status, anchor = :anchor, "
        "payable = :payable, ended_at = :ended, trial_end = :trial, past_due_at = :due, cancel_at = :cancel, change_at "
        "= "
        ":change, change_code = :code, change_version = :number, version = version + 1 WHERE id = :id AND version = "
        ":version",
        one.plan, one.plan_version, name(one.state), date_text(one.anchor), one.payable, one.ended, one.trial_end,
        one.past_due, one.cancel_at, one.change_at, one.change_plan, one.change_version, one.id, one.version);
    ROOTSTOCK_CHECK(changed == 1, "a subscription changed in the middle of a change");
}

// Ends the term that runs and begins the next.
void begin_term(store::Session& session, const Subscription& one, Timestamp at) {
    session.execute("UPDATE subscription_term SET ended_at = :at WHERE subscription_id = :id AND ended_at IS NULL", at,
                    one.id);
    if (one.state == State::canceled) return;
    const auto number = session.value<std::int64_t>(
        "SELECT COALESCE(MAX(number), 0) + 1 FROM subscription_term WHERE subscription_id = :id", one.id);
    session.execute(
        "INSERT INTO subscription_term (subscription_id, tenant_id, plan_code, plan_version, trial, started_at, "
        "number) VALUES "
        "(:id, :tenant, :plan, :version, :trial, :at, :number)",
        one.id, one.tenant, one.plan, one.plan_version, one.state == State::trial, at, number);
}

void set_limit(store::Session& session, const Subscription& one, const Plan& plan) {
    // In a trial only what was granted can be used.
    session.execute("UPDATE ledger_account SET debit_limit = :limit WHERE id = :id",
                    one.state == State::trial ? Micros{} : plan.credit_limit, one.account);
}

Plan plan_of(store::Session& session, const std::string& code, std::int64_t version) {
    auto plan = find_plan(session, code, version);
    ROOTSTOCK_CHECK(plan.has_value(), "a subscription's plan is gone");
    return std::move(*plan);
}

Subscription again(store::Session& session, const Subscription& one) {
    auto found = read(session, "WHERE s.id = :id", one.id);
    ROOTSTOCK_CHECK(found.size() == 1, "a subscription is gone");
    return std::move(found.front());
}

Result<std::string> open_receivable(store::Session& session, const TenantId& tenant, const Plan& plan, Timestamp now) {
    const auto books = session.first<std::string>(
        "SELECT currency FROM ledger_account WHERE tenant_id = :tenant AND kind = 'receivable' ORDER BY created_at "
        "LIMIT 1",
        tenant);
    if (books && std::get<0>(*books) != plan.currency)
        return fail(ErrorCode::conflict,
                    "the books of this tenant are in " + std::get<0>(*books) + ", the plan is in " + plan.currency,
                    "plan", "other_currency");
    open_account(session, TenantId(), "revenue", plan.currency, std::nullopt, now);
    return open_account(session, tenant, "receivable", plan.currency, plan.credit_limit, now);
}

void start_trial(store::Session& session, Subscription& one, const Plan& plan, Timestamp now) {
    one.state = State::trial;
    one.trial_end = days_later(one.timezone, now, plan.trial_days);
    one.anchor = local_date(one.timezone, *one.trial_end);
    if (plan.trial_credit.value == 0) return;
    auto granted = grant(session,
                         {.tenant = one.tenant,
                          .kind = GrantKind::trial,
                          .amount = plan.trial_credit,
                          .expires = one.trial_end,
                          .source = "plan " + plan.code},
                         now);
    ROOTSTOCK_CHECK(granted.has_value(), "a trial's credit cannot be granted");
}

void take_plan(store::Session& session, Subscription& one, const Plan& plan, Timestamp at) {
    if (plan.months != one.months && one.anchor != calendar_anchor) one.anchor = local_date(one.timezone, at);
    one.plan = plan.code;
    one.plan_version = plan.version;
    one.change_at.reset();
    one.change_plan.clear();
    one.change_version = 0;
    write(session, one);
    begin_term(session, one, at);
    set_limit(session, one, plan);
}

Result<Subscription> enter(store::Session& session, Subscription one, State to, Timestamp at) {
    ROOTSTOCK_CHECKED(check_step(one.state, to));
    const bool from_trial = one.state == State::trial;
    one.state = to;
    one.past_due = to == State::past_due ? Moment(at) : std::nullopt;
    if (to == State::canceled) {
        one.ended = at;
        one.cancel_at.reset();
        one.change_at.reset();
    }
    write(session, one);
    if (from_trial || to == State::canceled) begin_term(session, one, at);
    if (to == State::active) set_limit(session, one, plan_of(session, one.plan, one.plan_version));
    return again(session, one);
}

Result<void> expect_alive(const Subscription& one) {
    if (one.state != State::canceled) return {};
    return conflict("this subscription is canceled: make a new one");
}

ChargeLine fee_line(const Plan& plan, const Period& service, std::int64_t amount, std::int64_t days, std::int64_t of,
                    const char* why) {
    const int decimals = minor_decimals(plan.currency).value();
    return {.kind = "proration",
            .meter = {},
            .model = {},
            .quantity = 1,
            .unit = std::string(why) + " " + plan.code,
            .service = service,
            .amount = amount,
            .currency = plan.currency,
            .decimals = decimals,
            .detail = json::serialize(
                json::object{{"plan", plan.code}, {"version", plan.version}, {"days", days}, {"of", of}})};
}

}  // namespace

const char* name(SubscriptionState state) {
    return std::ranges::find(names, state, &std::pair<State, const char*>::first)->second;
}

Result<void> check_step(SubscriptionState from, SubscriptionState to) {
    if (std::ranges::find(legal, std::pair(from, to)) != legal.end()) return {};
    return conflict(std::string("this subscription is ") + name(from) + " and cannot become " + name(to));
}

Period Subscription::period_at(Timestamp now) const {
    if (state == State::trial && trial_end) return {started, *trial_end};
    return cycle().at(now);
}

Result<Subscription> subscribe(store::Session& session, const SubscriptionOrder& order, Timestamp now) {
    ROOTSTOCK_CHECKED(check_zone(order.timezone));
    ROOTSTOCK_TRY(plan, find_plan(session, order.plan));
    const auto living = session.value<std::int64_t>(
        "SELECT COUNT(*) FROM subscription WHERE tenant_id = :tenant AND ended_at IS NULL", order.tenant);
    if (living > 0)
        return fail(ErrorCode::already_exists, "this tenant has a subscription already: change it, or cancel it first",
                    "tenant", "subscription_exists");
    ROOTSTOCK_TRY(account, open_receivable(session, order.tenant, plan, now));
    Subscription one{.id = mint_id("sub", now),
                     .tenant = order.tenant,
                     .plan = plan.code,
                     .plan_version = plan.version,
                     .account = account,
                     .timezone = order.timezone,
                     .anchor = order.calendar ? calendar_anchor : local_date(order.timezone, now),
                     .months = plan.months,
                     .payable = order.payable,
                     .started = now};
    session.execute(
        "INSERT INTO subscription (id, tenant_id, plan_code, plan_version, account_id, started_at, timezone) VALUES "
        "(:id, "
        ":tenant, :code, :version, :account, :now, :zone)",
        one.id, one.tenant, one.plan, one.plan_version, account, now, one.timezone);
    if (plan.trial_days > 0) start_trial(session, one, plan, now);
    write(session, one);
    begin_term(session, one, now);
    set_limit(session, one, plan);
    return again(session, one);
}

Result<Subscription> find_subscription(store::Session& session, const std::optional<TenantId>& only,
                                       std::string_view id) {
    auto found = read(session, "WHERE s.id = :id AND (:everybody = 1 OR s.tenant_id = :only)", id, only ? 0 : 1,
                      only.value_or(TenantId{}));
    if (!found.empty()) return std::move(found.front());
    return fail(ErrorCode::not_found, "there is no such subscription", "id", "subscription_not_found");
}

Result<Subscription> subscription_of(store::Session& session, const TenantId& tenant) {
    auto found = read(session, "WHERE s.tenant_id = :tenant ORDER BY s.started_at DESC, s.id DESC LIMIT 1", tenant);
    if (found.empty()) return no_books();
    return std::move(found.front());
}

std::vector<Subscription> subscriptions(store::Session& session, const std::optional<TenantId>& only,
                                        std::string_view after, std::int64_t limit) {
    return read(session, "WHERE (:everybody = 1 OR s.tenant_id = :only) AND s.id > :after ORDER BY s.id LIMIT :limit",
                only ? 0 : 1, only.value_or(TenantId{}), after, limit);
}

Result<Subscription> move_to(store::Session& session, const Subscription& subscription, SubscriptionState to,
                             Timestamp now) {
    return enter(session, subscription, to, now);
}

// ---- changes of the plan ----

std::vector<ChargeLine> change_lines(const Plan& before, const Plan& after, const Subscription& subscription,
                                     const Period& period, Timestamp at) {
    const Date from = local_date(subscription.timezone, period.start), on = local_date(subscription.timezone, at),
               to = local_date(subscription.timezone, period.end);
    const std::int64_t whole = days_between(from, to), left = days_between(on, to);
    const auto minor = [](const Plan& plan) {
        return plan.fee.value / per_minor(minor_decimals(plan.currency).value());
    };
    const Period rest{at, period.end};
    std::vector<ChargeLine> lines;
    if (minor(before) > 0)
        lines.push_back(fee_line(before, rest, prorated(-minor(before), left, whole), left, whole, "unused time on"));
    if (minor(after) > 0)
        lines.push_back(fee_line(after, rest, prorated(minor(after), left, whole), left, whole, "remaining time on"));
    return lines;
}

Result<PlanChange> preview_change(store::Session& session, const Subscription& subscription, std::string_view plan,
                                  Timestamp now) {
    ROOTSTOCK_CHECKED(expect_alive(subscription));
    ROOTSTOCK_TRY(after, find_plan(session, plan));
    const Plan before = plan_of(session, subscription.plan, subscription.plan_version);
    if (before.currency != after.currency)
        return fail(ErrorCode::conflict,
                    "the subscription is in " + before.currency + ", the plan is in " + after.currency, "plan",
                    "other_currency");
    const bool at_once = after.months == before.months && after.fee >= before.fee;
    const Period period = subscription.period_at(now);
    PlanChange change{std::move(after), at_once, at_once ? now : period.end};
    if (at_once && subscription.state != State::trial)
        change.lines = change_lines(before, change.plan, subscription, period, now);
    for (const ChargeLine& line : change.lines) change.amount += line.amount;
    return change;
}

Result<Subscription> change_plan(store::Session& session, const Subscription& subscription, std::string_view plan,
                                 Timestamp now) {
    ROOTSTOCK_TRY(change, preview_change(session, subscription, plan, now));
    Subscription one = subscription;
    if (change.at_once) {
        take_plan(session, one, change.plan, now);
    } else {
        one.change_at = change.at;
        one.change_plan = change.plan.code;
        one.change_version = change.plan.version;
        write(session, one);
    }
    return again(session, one);
}

Result<Subscription> cancel(store::Session& session, const Subscription& subscription, bool at_once, Timestamp now) {
    ROOTSTOCK_CHECKED(expect_alive(subscription));
    if (at_once || subscription.state == State::suspended) return enter(session, subscription, State::canceled, now);
    Subscription one = subscription;
    one.cancel_at = subscription.period_at(now).end;
    write(session, one);
    return again(session, one);
}

Result<Subscription> resume(store::Session& session, const Subscription& subscription, Timestamp now) {
    ROOTSTOCK_CHECKED(expect_alive(subscription));
    Subscription one = subscription;
    if (!one.cancel_at && !one.change_at && one.state != State::suspended)
        return conflict(std::string("this subscription is ") + name(one.state) +
                        " and nothing is to end: there is nothing to "
                        "resume");
    one.cancel_at.reset();
    one.change_at.reset();
    one.change_plan.clear();
    one.change_version = 0;
    one.payable = one.payable || one.state == State::suspended;
    write(session, one);
    one = again(session, one);
    if (one.state != State::suspended) return one;
    return enter(session, one, State::active, now);
}

// ---- what is due ----

std::int64_t advance_subscriptions(store::Session& session, Timestamp now) {
    std::int64_t done = 0;
    const auto due =
        read(session,
             "WHERE s.ended_at IS NULL AND ((s.status = 'trial' AND s.trial_end <= :now) OR s.cancel_at <= :same "
             "OR s.change_at <= :again) ORDER BY s.id",
             now, now, now);
    for (const Subscription& one : due) {
        // A cancellation goes before what would come at the same instant.
        if (one.cancel_at && *one.cancel_at <= now) {
            done += enter(session, one, State::canceled, *one.cancel_at).has_value();
        } else if (one.state == State::trial && *one.trial_end <= now) {
            done += enter(session, one, one.payable ? State::active : State::suspended, *one.trial_end).has_value();
        } else if (one.change_at) {
            Subscription changed = one;
            take_plan(session, changed, plan_of(session, one.change_plan, one.change_version), *one.change_at);
            ++done;
        }
    }
    return done;
}

// ---- books ----

Result<void> open_books(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now) {
    ROOTSTOCK_CHECKED(find_plan(session, plan_code));
    const auto seen =
        session.value<std::int64_t>("SELECT COUNT(*) FROM subscription WHERE tenant_id = :tenant", tenant);
    if (seen > 0) return fail(ErrorCode::already_exists, "this tenant's books are open already", "tenant");
    ROOTSTOCK_CHECKED(subscribe(session, {.tenant = tenant, .plan = std::string(plan_code), .calendar = true}, now));
    return {};
}

Result<void> set_plan(store::Session& session, const TenantId& tenant, std::string_view plan_code, Timestamp now) {
    ROOTSTOCK_TRY(plan, find_plan(session, plan_code));
    ROOTSTOCK_TRY(one, subscription_of(session, tenant));
    ROOTSTOCK_CHECKED(expect_alive(one));
    const Plan before = plan_of(session, one.plan, one.plan_version);
    if (before.currency != plan.currency)
        return fail(ErrorCode::conflict,
                    "the books of this tenant are in " + before.currency + ", the plan is in " + plan.currency, "plan");
    take_plan(session, one, plan, now);
    return {};
}

}  // namespace rootstock::ledger
