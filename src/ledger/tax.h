#pragma once
// Taxes: dated rates of a country, or of a region of it, and what they make of an invoice's lines.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

// A rate never changes; it ends, and another begins.
struct TaxRate {
    std::string id{};
    std::string name;               // "VAT": as it stands on the invoice
    std::string country;            // ISO 3166, two capital letters
    std::string region{};           // a part of the country, as billing details spell it; empty: all of it
    std::int64_t basis_points = 0;  // 2000: 20 %
    bool inclusive = false;         // prices contain it
    Timestamp starts;               // in force in [starts, ends)
    std::optional<Timestamp> ends{};
};

// invalid_argument for a country that is not two capitals, an empty name, basis points outside 0..10000, an end before
// the start.
Result<TaxRate> add_tax_rate(store::Session& session, TaxRate rate, Timestamp now);
// Ends a rate, once: conflict when it has an end already; not_found, reason "tax_rate_not_found".
Result<TaxRate> end_tax_rate(store::Session& session, const std::string& id, Timestamp ends);
Result<TaxRate> find_tax_rate(store::Session& session, const std::string& id);
std::vector<TaxRate> tax_rates(store::Session& session, const std::string& after, std::int64_t limit);

// In force at an instant for a customer of a country and region, those of the whole country first.
std::vector<TaxRate> tax_rates_for(store::Session& session, const std::string& country, const std::string& region,
                                   Timestamp at);

// One rate on one invoice. `base` is what it was taken of (without any tax), `amount` the tax, both in minor units.
struct TaxLine {
    TaxRate rate;
    std::int64_t base = 0, amount = 0;
};
struct Taxed {
    std::vector<std::int64_t> net, tax;  // of each line; what was in the price is taken out of `net`
    std::vector<TaxLine> rates;
};
// Once per rate on the summed base, rounded once, then shared out to the lines by largest remainder. Inclusive rates
// are taken out of the prices together first; exclusive ones come on top of what is left.
Taxed tax_lines(const std::vector<std::int64_t>& amounts, const std::vector<TaxRate>& rates);

}  // namespace rootstock::ledger
