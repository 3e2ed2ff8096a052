#include "reference.h"

#include <algorithm>
#include <chrono>

namespace rootstock::simulation {
namespace {

constexpr std::int64_t micros_per_cent = 10'000;
constexpr std::int64_t million = 1'000'000;

std::chrono::year_month month_of_instant(std::int64_t micros) {
    const std::chrono::sys_time instant{std::chrono::microseconds(micros)};
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(instant)};
    return day.year() / day.month();
}

std::int64_t start_of(std::chrono::year_month month) {
    const std::chrono::sys_days first{month / 1};
    return std::chrono::duration_cast<std::chrono::microseconds>(first.time_since_epoch()).count();
}

// Prices that depend on the rest of the period: all but a plain price per unit.
bool plain(const ledger::Rating& rating) {
    return rating.mode == ledger::RatingMode::per_unit && rating.included == 0 && rating.nano_minimum == 0;
}

// Without what is due whatever was used.
ledger::Rating by_use(ledger::Rating rating) {
    rating.nano_minimum = 0;
    return rating;
}

[[noreturn]] void violated(const std::string& sentence) { throw Violation(sentence); }

std::string text(std::int64_t number) { return std::to_string(number); }

}  // namespace

std::int64_t month_start(Timestamp instant) { return start_of(month_of_instant(instant.micros)); }
std::int64_t next_month(std::int64_t start) { return start_of(month_of_instant(start) + std::chrono::months(1)); }

// ---- prices ----

__int128 exact_price(const ledger::Rating& rating, std::int64_t quantity) {
    __int128 sum = 0;
    const auto units = std::max<std::int64_t>(quantity - rating.included, 0);
    std::size_t tier = 0;
    switch (rating.mode) {
        case ledger::RatingMode::flat:
            sum = static_cast<__int128>(rating.tiers[0].nano_flat) * million;
            break;
        case ledger::RatingMode::per_unit:
            sum = static_cast<__int128>(units) * rating.tiers[0].nano_per_million;
            break;
        case ledger::RatingMode::graduated:
            for (std::int64_t unit = 1; unit <= units; ++unit) {
                if (unit == 1) sum += static_cast<__int128>(rating.tiers[0].nano_flat) * million;
                if (unit > rating.tiers[tier].up_to)
                    sum += static_cast<__int128>(rating.tiers[++tier].nano_flat) * million;
                sum += rating.tiers[tier].nano_per_million;
            }
            break;
        case ledger::RatingMode::volume:
            if (units == 0) break;
            while (units > rating.tiers[tier].up_to) ++tier;
            sum = static_cast<__int128>(units) * rating.tiers[tier].nano_per_million +
                  static_cast<__int128>(rating.tiers[tier].nano_flat) * million;
            break;
        case ledger::RatingMode::package:
            for (std::int64_t begun = 0; begun < units; begun += rating.package)
                sum += static_cast<__int128>(rating.tiers[0].nano_flat) * million;
            break;
    }
    return std::max(sum, static_cast<__int128>(rating.nano_minimum) * million);
}

std::int64_t rounded(__int128 exact, int decimals) {
    __int128 unit = 1;
    for (int i = decimals; i < 15; ++i) unit *= 10;
    return static_cast<std::int64_t>((2 * exact + unit) / (2 * unit));
}

const ledger::Price* Reference::price_of(const Tenant& tenant, const std::string& meter, const std::string& model) {
    const ledger::Price* found = nullptr;
    for (const auto& price : tenant.plan.prices)
        if (price.meter == meter && (price.model == model || (price.model.empty() && !found))) found = &price;
    return found;
}

// The most that a request may cost, whatever the period holds already.
std::int64_t Reference::most(const Tenant& tenant, const Ask& ask) {
    std::int64_t sum = 0;
    const auto add = [&](const std::string& meter, std::int64_t quantity) {
        const auto* price = price_of(tenant, meter, ask.model);
        if (!price || quantity == 0) return;
        const auto& rating = price->rating;
        if (plain(rating)) {
            sum += rounded(exact_price(rating, quantity), 6);
            return;
        }
        __int128 exact = 0;
        if (rating.mode == ledger::RatingMode::package) {
            exact = static_cast<__int128>((quantity + rating.package - 1) / rating.package + 1) *
                    rating.tiers[0].nano_flat * million;
        } else {
            std::int64_t dearest = 0;
            for (const auto& tier : rating.tiers) {
                dearest = std::max(dearest, tier.nano_per_million);
                exact += static_cast<__int128>(tier.nano_flat) * million;
            }
            exact += static_cast<__int128>(quantity) * dearest;
        }
        const auto amount = rounded(exact, 6);
        sum += amount + (amount > 0 ? 1 : 0);
    };
    add("input_tokens", ask.input);
    add("output_tokens", ask.output_max);
    add("requests", 1);
    return sum;
}

// What a further quantity adds to its period. A falling volume price gives nothing back.
std::int64_t Reference::rated(Tenant& tenant, const ledger::Price& price, std::int64_t month, std::int64_t quantity,
                              bool keep) {
    auto [whole, charged] = tenant.rated[{price.meter + "/" + price.model, month}];
    const auto due = rounded(exact_price(by_use(price.rating), whole + quantity), 6);
    const auto more = std::max<std::int64_t>(due - charged, 0);
    if (keep) tenant.rated[{price.meter + "/" + price.model, month}] = {whole + quantity, charged + more};
    return more;
}

std::int64_t Reference::charge(Tenant& tenant, const Reservation& reservation, const Used& used, bool keep) {
    const auto& model = reservation.ask.model;
    const auto* cached = price_of(tenant, "cached_tokens", model);
    const auto cached_tokens = cached ? used.cached : 0;
    std::int64_t sum = cached ? rounded(exact_price(cached->rating, cached_tokens), 6) : 0;
    const auto add = [&](const std::string& meter, std::int64_t plain_quantity, std::int64_t whole) {
        const auto* price = price_of(tenant, meter, model);
        if (!price) return;
        sum += plain(price->rating) ? rounded(exact_price(price->rating, plain_quantity), 6)
                                    : rated(tenant, *price, reservation.month, whole, keep);
    };
    add("input_tokens", used.input - cached_tokens, used.input);
    if (reservation.ask.output_max > 0) add("output_tokens", used.output, used.output);
    add("requests", 1, 1);
    return sum;
}

// ---- requests ----

void Reference::open(const std::string& tenant, const ledger::Plan& plan) { tenants_[tenant].plan = plan; }

namespace {

std::int64_t counted(const std::string& meter, const Ask& ask) {
    return meter == "input_tokens" ? ask.input : meter == "output_tokens" ? ask.output_max : 1;
}

}  // namespace

void Reference::admitted(const std::string& name, const Ask& ask, std::int64_t hold, Timestamp now) {
    Tenant& tenant = tenants_.at(name);
    if (hold != most(tenant, ask))
        violated(ask.request + " holds " + text(hold) + " where it may cost " + text(most(tenant, ask)));
    if (tenant.owed + tenant.held + hold > tenant.plan.credit_limit.value)
        violated(ask.request + " was admitted above the limit of " + name);
    Reservation one{name, "pending", ask, hold, 0, month_start(now), 0};
    for (const auto& allowance : tenant.plan.allowances) {
        auto& state = tenant.allowances[{allowance.meter, one.month}];
        const auto quantity = counted(allowance.meter, ask);
        if (quantity == 0) continue;
        if (allowance.hard && state.used + state.held + quantity > allowance.quantity)
            violated(ask.request + " was admitted above the allowance of " + allowance.meter);
        state.held += quantity;
        one.allowed += quantity;
    }
    tenant.held += hold;
    if (!reservations_.emplace(ask.request, one).second) violated(ask.request + " was admitted twice");
}

void Reference::refused(const std::string& name, const Ask& ask, const Error& error, Timestamp now) {
    const Tenant& tenant = tenants_.at(name);
    if (error.code != ErrorCode::insufficient_quota) violated(ask.request + " was refused: " + error.message);
    const bool credit = tenant.owed + tenant.held + most(tenant, ask) <= tenant.plan.credit_limit.value;
    bool allowed = true;
    for (const auto& allowance : tenant.plan.allowances) {
        const auto found = tenant.allowances.find({allowance.meter, month_start(now)});
        const auto taken = found == tenant.allowances.end() ? 0 : found->second.used + found->second.held;
        allowed = allowed && (!allowance.hard || taken + counted(allowance.meter, ask) <= allowance.quantity);
    }
    if (credit && allowed) violated(ask.request + " was refused, which the balance of " + name + " covers");
    if ((error.reason == "allowance_used") != credit) violated(ask.request + " was refused for " + error.reason);
}

Reference::Reservation& Reference::open_one(const std::string& request) {
    const auto found = reservations_.find(request);
    if (found == reservations_.end()) violated(request + " is settled, which was never admitted");
    return found->second;
}

void Reference::marked(const std::string& request, std::int64_t tokens) {
    auto& one = open_one(request);
    if (one.state == "pending") one.mark = std::max(one.mark, tokens);
}

void Reference::let_go(Reservation& one, const char* state) {
    Tenant& tenant = tenants_.at(one.tenant);
    tenant.held -= one.hold;
    for (const auto& allowance : tenant.plan.allowances) {
        const auto quantity = counted(allowance.meter, one.ask);
        if (quantity > 0) tenant.allowances.at({allowance.meter, one.month}).held -= quantity;
    }
    one.state = state;
}

std::int64_t Reference::posted(const std::string& request, const Used& used, Timestamp now) {
    auto& one = open_one(request);
    if (billed_.contains(request)) violated(request + " is billed twice");
    if (one.state != "pending" && one.state != "expired") violated(request + " is billed after it was " + one.state);
    Tenant& tenant = tenants_.at(one.tenant);
    const bool late = one.state == "expired";
    const auto amount = charge(tenant, one, used, true);
    if (late && tenant.owed + tenant.held + amount > tenant.plan.credit_limit.value)
        violated(request + " was admitted late above the limit");
    if (!late) let_go(one, "posted");
    for (const auto& allowance : tenant.plan.allowances) {
        const auto quantity = allowance.meter == "input_tokens"    ? used.input
                              : allowance.meter == "output_tokens" ? used.output
                                                                   : 1;
        if (counted(allowance.meter, one.ask) > 0) tenant.allowances[{allowance.meter, one.month}].used += quantity;
    }
    if (!late && amount > one.hold) violated(request + " costs more than it held");
    const auto month = month_start(now);
    tenant.owed += amount;
    tenant.charged += amount;
    tenant.usage[month] += amount;
    burn(tenant, one.tenant, amount, now);
    const auto& model = one.ask.model;
    const auto count = [&](const std::string& meter, std::int64_t quantity) {
        const auto* price = price_of(tenant, meter, model);
        if (price) tenant.quantity[{month, meter, plain(price->rating) ? model : price->model}] += quantity;
    };
    const auto cached = price_of(tenant, "cached_tokens", model) ? used.cached : 0;
    count("input_tokens", used.input - cached);
    count("cached_tokens", cached);
    if (one.ask.output_max > 0) count("output_tokens", used.output);
    count("requests", 1);
    billed_[request] = {amount, late, false, one.tenant, now};
    return amount;
}

void Reference::refused_late(const std::string& request, const Used& used) {
    auto& one = open_one(request);
    if (one.state != "expired") violated(request + " was " + one.state + ", and yet its charge is refused");
    Tenant& tenant = tenants_.at(one.tenant);
    const auto amount = charge(tenant, one, used, false);
    if (tenant.owed + tenant.held + amount <= tenant.plan.credit_limit.value)
        violated(request + " was refused late, which the balance covers");
}

void Reference::voided(const std::string& request) {
    auto& one = open_one(request);
    if (one.state == "posted") violated(request + " was given up after it was billed");
    if (one.state == "pending") let_go(one, "voided");
}

// ---- keys ----

ledger::IdempotencyState Reference::claimed(const std::string& key, const std::string& body, const std::string& runner,
                                            Timestamp now) {
    using State = ledger::IdempotencyState;
    auto& one = keys_[key];
    if (one.expires > now) {
        if (one.body != body) return State::other_body;
        if (one.done) return State::replay;
        if (one.lease > now) return State::running;
    }
    one = {body, runner, {}, false, {now.micros + 60'000'000}, {now.micros + 86'400'000'000}};
    return State::fresh;
}

bool Reference::runs(const std::string& key, const std::string& runner) const {
    const auto found = keys_.find(key);
    return found != keys_.end() && !found->second.done && found->second.runner == runner;
}

bool Reference::answers(const std::string& key, Timestamp now) const {
    const auto found = keys_.find(key);
    return found != keys_.end() && found->second.done && found->second.expires > now;
}

void Reference::finished(const std::string& key, const std::string& runner, const std::string& answer, Timestamp now) {
    if (!runs(key, runner)) violated("the key " + key + " is finished by " + runner + ", which does not hold it");
    auto& one = keys_[key];
    one.done = true;
    one.answer = answer;
    one.expires = {now.micros + 86'400'000'000};
}

void Reference::abandoned(const std::string& key, const std::string& runner) {
    if (runs(key, runner)) keys_.erase(key);
}

// ---- the house ----

void Reference::granted(const std::string& tenant, const std::string& id, ReferenceGrant grant) {
    if (grant.state == "active") {
        tenants_.at(tenant).owed -= grant.amount;
        tenants_.at(tenant).granted += grant.amount;
    }
    grants_[id] = grant;
    grant_tenants_[id] = tenant;
}

void Reference::end(ReferenceGrant& grant, const std::string& id, const char* state) {
    if (grant.state == "active") {
        tenants_.at(grant_tenants_.at(id)).owed += grant.left;
        tenants_.at(grant_tenants_.at(id)).granted -= grant.left;
    }
    grant.state = state;
}

void Reference::grant_voided(const std::string& id) {
    auto& one = grants_.at(id);
    if (one.state != "active" && one.state != "scheduled")
        violated("the grant " + id + " is voided though " + one.state);
    end(one, id, "voided");
}

// Free ones first, then by priority, by their end, by their age.
void Reference::burn(Tenant& tenant, const std::string& name, std::int64_t amount, Timestamp now) {
    std::vector<ReferenceGrant*> order;
    for (auto& [id, one] : grants_)
        if (grant_tenants_.at(id) == name && one.state == "active" && !(one.expires && *one.expires <= now))
            order.push_back(&one);
    std::ranges::sort(order, [](const ReferenceGrant* a, const ReferenceGrant* b) {
        const auto rank = [](const ReferenceGrant& one) {
            return std::tuple(one.purchased, one.priority, one.expires ? one.expires->micros : INT64_MAX, one.created);
        };
        return rank(*a) < rank(*b);
    });
    for (auto* one : order) {
        const auto part = std::min(amount, one->left);
        if (part == 0) break;
        one->left -= part;
        amount -= part;
        tenant.burnt[month_start(now)] += part;
        if (one->left == 0) one->state = "exhausted";
    }
}

void Reference::recovered(const std::string& run, Timestamp now) {
    std::erase_if(keys_, [](const auto& key) { return !key.second.done; });
    for (auto& [request, one] : reservations_) {
        if (one.state != "pending" || one.ask.run == run) continue;
        if (one.mark > 0) {
            posted(request, {one.ask.input, 0, one.mark, true}, now);
            billed_.at(request).at_mark = true;
        } else {
            let_go(one, "voided");
        }
    }
}

void Reference::swept(Timestamp now) {
    for (auto& [request, one] : reservations_)
        if (one.state == "pending" && one.ask.expires <= now) let_go(one, "expired");
    for (auto& [id, one] : grants_) {
        if (one.state != "scheduled" || one.effective > now) continue;
        one.state = "active";
        tenants_.at(grant_tenants_.at(id)).owed -= one.amount;
        tenants_.at(grant_tenants_.at(id)).granted += one.amount;
    }
    for (auto& [id, one] : grants_)
        if (one.state == "active" && one.expires && *one.expires <= now) end(one, id, "expired");
    std::erase_if(keys_, [&](const auto& key) { return key.second.expires <= now; });
}

void Reference::finalized(const std::string& name, const ledger::Invoice& invoice) {
    Tenant& tenant = tenants_.at(name);
    const auto month = invoice.period.start.micros;
    std::int64_t subtotal = tenant.plan.fee.value / micros_per_cent, used = 0;
    for (const auto& price : tenant.plan.prices) {
        bool any = false;
        for (const auto& [key, quantity] : tenant.quantity) {
            const auto& [when, meter, model] = key;
            if (when != month || meter != price.meter || quantity == 0) continue;
            if (price_of(tenant, meter, model) != &price) continue;
            used += rounded(exact_price(price.rating, quantity), 2);
            any = true;
        }
        if (!any) used += rounded(exact_price(price.rating, 0), 2);
    }
    const auto committed = tenant.plan.commitment.value / micros_per_cent;
    const auto given = (2 * tenant.burnt[month] + micros_per_cent) / (2 * micros_per_cent);
    subtotal += std::max(used, committed) - given;
    if (invoice.subtotal != subtotal)
        violated("the invoice of " + name + " says " + text(invoice.subtotal) + " where " + text(subtotal) + " is due");
    const auto credits = std::min(subtotal, tenant.credit);
    if (invoice.total != subtotal - credits) violated("the invoice of " + name + " does not use up its credit");
    if (invoice.number != numbers_ + 1) violated("the invoice of " + name + " has a number out of order");
    numbers_ = invoice.number;
    ReferenceInvoice one{name,
                         invoice.total == 0 ? "paid" : "open",
                         invoice.period.start,
                         invoice.number,
                         invoice.total,
                         0,
                         (subtotal + given - credits) * micros_per_cent - tenant.usage[month],
                         -credits};
    tenant.owed += one.owed;
    tenant.credit += one.credit;
    invoices_[invoice.id.text()] = one;
}

void Reference::invoice_voided(const std::string& id) {
    auto& one = invoices_.at(id);
    if (one.status != "open" || one.paid > 0) violated("the invoice " + id + " is voided though " + one.status);
    tenants_.at(one.tenant).owed -= one.owed;
    tenants_.at(one.tenant).credit -= one.credit;
    one.status = "void";
}

void Reference::paid(const std::string& id, const std::string& ref, std::int64_t amount) {
    if (!payments_.emplace(ref, amount).second) return;  // told twice
    auto& one = invoices_.at(id);
    if (one.status != "open") violated("the invoice " + id + " is paid though " + one.status);
    const auto applied = std::min(amount, one.total - one.paid);
    one.paid += applied;
    if (one.paid == one.total) one.status = "paid";
    tenants_.at(one.tenant).owed -= applied * micros_per_cent;
    tenants_.at(one.tenant).credit += amount - applied;
}

}  // namespace rootstock::simulation
