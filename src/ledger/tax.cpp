#include "ledger/tax.h"

#include <algorithm>
#include <numeric>

#include "ledger/money_share.h"

namespace rootstock::ledger {
namespace {

constexpr std::int64_t whole = 10'000;  // basis points

// In the order of TaxRate's fields.
#define RATE_COLUMNS "id, name, country, region, basis_points, inclusive, starts_at, ends_at"

template <typename... Args>
std::vector<TaxRate> select(store::Session& session, std::string_view sql, const Args&... args) {
    std::vector<TaxRate> rates;
    session.for_each<std::string, std::string, std::string, std::string, std::int64_t, bool, Timestamp,
                     std::optional<Timestamp>>(
        sql, [&](auto... columns) { rates.push_back({std::move(columns)...}); }, args...);
    return rates;
}

Result<void> check(const TaxRate& rate) {
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (rate.country.size() != 2 || !std::ranges::all_of(rate.country, capital))
        return fail(ErrorCode::invalid_argument, "a country is two capital letters, such as DE", "country");
    if (rate.name.empty()) return fail(ErrorCode::invalid_argument, "a tax needs a name, such as VAT", "name");
    if (rate.basis_points < 0 || rate.basis_points > whole)
        return fail(ErrorCode::invalid_argument, "basis points go from 0 to 10000 (100 %)", "basis_points");
    if (rate.ends && *rate.ends <= rate.starts)
        return fail(ErrorCode::invalid_argument, "a rate ends after it has begun", "ends_at");
    return {};
}

std::int64_t sum_of(const std::vector<std::int64_t>& amounts) {
    return std::accumulate(amounts.begin(), amounts.end(), std::int64_t{0});
}

// Takes `rate` of the given bases and books it on every line.
void apply(Taxed& taxed, const TaxRate& rate, const std::vector<std::int64_t>& bases, std::int64_t divisor) {
    const Shares shares = share_out(bases, rate.basis_points, divisor);
    for (std::size_t i = 0; i < bases.size(); ++i) {
        taxed.tax[i] += shares.each[i];
        if (rate.inclusive) taxed.net[i] -= shares.each[i];
    }
    taxed.rates.push_back({rate, 0, shares.total});
}

}  // namespace

Result<TaxRate> add_tax_rate(store::Session& session, TaxRate rate, Timestamp now) {
    ROOTSTOCK_CHECKED(check(rate));
    rate.id = mint_id("tax", now);
    session.execute(
        "INSERT INTO tax_rate (id, name, country, region, basis_points, inclusive, starts_at, ends_at, created_at) "
        "VALUES (:id, :name, :country, :region, :points, :inclusive, :starts, :ends, :now)",
        rate.id, rate.name, rate.country, rate.region, rate.basis_points, rate.inclusive, rate.starts, rate.ends, now);
    return rate;
}

Result<TaxRate> find_tax_rate(store::Session& session, const std::string& id) {
    auto found = select(session, "SELECT " RATE_COLUMNS " FROM tax_rate WHERE id = :id", id);
    if (found.empty()) return fail(ErrorCode::not_found, "there is no such tax rate", "id", "tax_rate_not_found");
    return found.front();
}

Result<TaxRate> end_tax_rate(store::Session& session, const std::string& id, Timestamp ends) {
    ROOTSTOCK_TRY(rate, find_tax_rate(session, id));
    if (rate.ends)
        return fail(ErrorCode::conflict, "this tax rate has ended, or ends at " + to_iso8601(*rate.ends), "id",
                    "tax_rate_ended");
    rate.ends = ends;
    ROOTSTOCK_CHECKED(check(rate));
    session.execute("UPDATE tax_rate SET ends_at = :ends WHERE id = :id", ends, id);
    return rate;
}

std::vector<TaxRate> tax_rates(store::Session& session, const std::string& after, std::int64_t limit) {
    return select(session, "SELECT " RATE_COLUMNS " FROM tax_rate WHERE id > :after ORDER BY id LIMIT :limit", after,
                  limit);
}

std::vector<TaxRate> tax_rates_for(store::Session& session, const std::string& country, const std::string& region,
                                   Timestamp at) {
    return select(session,
                  "SELECT " RATE_COLUMNS
                  " FROM tax_rate WHERE country = :country AND (region = '' OR region = :region) AND starts_at <= :at "
                  "AND (ends_at IS NULL OR ends_at > :same) ORDER BY region, id",
                  country, region, at, at);
}

Taxed tax_lines(const std::vector<std::int64_t>& amounts, const std::vector<TaxRate>& rates) {
    Taxed taxed{amounts, std::vector<std::int64_t>(amounts.size()), {}};
    std::int64_t inside = whole;
    for (const TaxRate& rate : rates)
        if (rate.inclusive) inside += rate.basis_points;
    for (const TaxRate& rate : rates)
        if (rate.inclusive) apply(taxed, rate, amounts, inside);
    const auto bases = taxed.net;
    for (const TaxRate& rate : rates)
        if (!rate.inclusive) apply(taxed, rate, bases, whole);
    for (TaxLine& line : taxed.rates) line.base = sum_of(bases);
    return taxed;
}

}  // namespace rootstock::ledger
