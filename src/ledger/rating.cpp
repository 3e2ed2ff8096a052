#include "ledger/rating.h"

#include <algorithm>
#include <array>

namespace rootstock::ledger {
namespace {

constexpr std::size_t tiers_max = 32;
constexpr std::int64_t million = 1'000'000;
constexpr int exact_digits = 15;  // nano per million: 10^-9 of 10^-6
constexpr std::array<std::pair<RatingMode, const char*>, 5> modes{{{RatingMode::flat, "flat"},
                                                                   {RatingMode::per_unit, "per_unit"},
                                                                   {RatingMode::graduated, "graduated"},
                                                                   {RatingMode::volume, "volume"},
                                                                   {RatingMode::package, "package"}}};

// A sum in 10^-15 of the major unit that remembers whether it ever left its 128 bits.
class Exact {
public:
    // What leaves 128 bits is far above every amount, so that it need only be remembered.
    void add(__int128 count, std::int64_t price) {
        __int128 product = 0;
        lost_ |= __builtin_mul_overflow(count, static_cast<__int128>(price), &product);
        lost_ |= __builtin_add_overflow(value_, product, &value_);
    }
    void at_least(std::int64_t nano) { value_ = std::max(value_, static_cast<__int128>(nano) * million); }

    // No amount is below zero here, so half away from zero is half up.
    Result<std::int64_t> rounded(int decimals) const {
        ROOTSTOCK_CHECK(decimals >= 0 && decimals <= 9, "an amount with a strange number of decimals");
        __int128 unit = 1;
        for (int i = decimals; i < exact_digits; ++i) unit *= 10;
        const __int128 amount = value_ / unit + (value_ % unit >= unit / 2 ? 1 : 0);
        if (lost_ || amount > std::numeric_limits<std::int64_t>::max())
            return fail(ErrorCode::invalid_argument, "this quantity at this price is more than an amount can hold", {},
                        "amount_too_large");
        return static_cast<std::int64_t>(amount);
    }

private:
    __int128 value_ = 0;
    bool lost_ = false;
};

void add_graduated(Exact& sum, const std::vector<Tier>& tiers, std::int64_t units) {
    std::int64_t below = 0;
    for (const Tier& tier : tiers) {
        if (units <= below) return;
        sum.add(std::min(units, tier.up_to) - below, tier.nano_per_million);
        sum.add(million, tier.nano_flat);
        below = tier.up_to;
    }
}

void add_volume(Exact& sum, const std::vector<Tier>& tiers, std::int64_t units) {
    if (units == 0) return;
    const auto tier = std::ranges::find_if(tiers, [&](const Tier& tier) { return units <= tier.up_to; });
    sum.add(units, tier->nano_per_million);
    sum.add(million, tier->nano_flat);
}

void add_packages(Exact& sum, const Rating& rating, std::int64_t units) {
    const std::int64_t packages = units / rating.package + (units % rating.package > 0 ? 1 : 0);
    sum.add(static_cast<__int128>(packages) * million, rating.tiers.front().nano_flat);
}

std::unexpected<Error> refuse(const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, sentence, "tiers", "bad_price");
}

std::unexpected<Error> refuse_count() { return refuse("a price has 1 to " + std::to_string(tiers_max) + " tiers"); }

Result<void> check_tiers(const Rating& rating) {
    const auto& tiers = rating.tiers;
    if (tiers.empty() || tiers.size() > tiers_max) return refuse_count();
    const bool tiered = rating.mode == RatingMode::graduated || rating.mode == RatingMode::volume;
    if (!tiered && tiers.size() > 1)
        return refuse(std::string("a price of mode '") + name(rating.mode) + "' has one tier");
    if (tiers.back().up_to != Tier::endless) return refuse("the last tier has no end: leave its up_to out");
    std::int64_t below = 0;
    for (const Tier& tier : tiers) {
        if (tier.up_to <= below) return refuse("each tier ends after the one before it");
        if (tier.nano_per_million < 0 || tier.nano_flat < 0) return refuse("a price is zero or more");
        below = tier.up_to;
    }
    const bool falls = std::ranges::is_sorted(
        tiers, [](const Tier& a, const Tier& b) { return a.nano_per_million > b.nano_per_million; });
    if (rating.mode == RatingMode::volume && !falls)
        return refuse("a volume price does not rise from tier to tier, or one more unit would raise the price of all");
    return {};
}

}  // namespace

const char* name(RatingMode mode) {
    return std::ranges::find(modes, mode, &std::pair<RatingMode, const char*>::first)->second;
}

Result<Rating> unit_rating(Micros amount, std::int64_t per) {
    if (amount.value < 0 || per <= 0)
        return fail(ErrorCode::invalid_argument, "a price is zero or more, for one unit or more", "prices");
    const __int128 nano = static_cast<__int128>(amount.value) * 1000 * million;
    if (nano % per != 0 || nano / per > std::numeric_limits<std::int64_t>::max())
        return fail(ErrorCode::invalid_argument,
                    "a price must be a whole number of billionths per million units: choose another number of units",
                    "prices", "bad_price");
    return Rating{.tiers = {Tier{.nano_per_million = static_cast<std::int64_t>(nano / per)}}};
}

Result<void> check_rating(const Rating& rating) {
    if (rating.package < 1) return refuse("a package holds one unit or more");
    if (rating.included < 0) return refuse("what is included is zero or more");
    if (rating.nano_minimum < 0) return refuse("the least that a period costs is zero or more");
    return check_tiers(rating);
}

Result<std::int64_t> rated(const Rating& rating, std::int64_t quantity, int decimals) {
    ROOTSTOCK_CHECK(quantity >= 0, "a quantity below zero");
    const std::int64_t units = std::max<std::int64_t>(quantity - rating.included, 0);
    const Tier& first = rating.tiers.front();
    Exact sum;
    switch (rating.mode) {
        case RatingMode::flat:
            sum.add(million, first.nano_flat);
            break;
        case RatingMode::per_unit:
            sum.add(units, first.nano_per_million);
            break;
        case RatingMode::graduated:
            add_graduated(sum, rating.tiers, units);
            break;
        case RatingMode::volume:
            add_volume(sum, rating.tiers, units);
            break;
        case RatingMode::package:
            add_packages(sum, rating, units);
            break;
    }
    sum.at_least(rating.nano_minimum);
    return sum.rounded(decimals);
}

Result<std::int64_t> rated_most(const Rating& rating, std::int64_t quantity, int decimals) {
    ROOTSTOCK_CHECK(quantity >= 0, "a quantity below zero");
    Exact sum;
    if (rating.mode == RatingMode::flat || quantity == 0) return 0;
    if (rating.mode == RatingMode::package) {
        add_packages(sum, rating, quantity);
        sum.add(million, rating.tiers.front().nano_flat);  // one that was begun before may be full
        return sum.rounded(decimals);
    }
    std::int64_t dearest = 0;
    for (const Tier& tier : rating.tiers) {
        dearest = std::max(dearest, tier.nano_per_million);
        if (rating.mode != RatingMode::per_unit) sum.add(million, tier.nano_flat);
    }
    sum.add(quantity, dearest);
    return sum.rounded(decimals);
}

// ---- as JSON ----

json::object to_json(const Rating& rating) {
    json::array tiers;
    for (const Tier& tier : rating.tiers)
        tiers.push_back(
            json::object{{"up_to", tier.up_to == Tier::endless ? json::value(nullptr) : json::value(tier.up_to)},
                         {"nano_per_million", tier.nano_per_million},
                         {"nano_flat", tier.nano_flat}});
    return {{"mode", name(rating.mode)},
            {"tiers", std::move(tiers)},
            {"package", rating.package},
            {"included", rating.included},
            {"nano_minimum", rating.nano_minimum}};
}

namespace {

constexpr std::int64_t most = Tier::endless;

Result<Tier> read_tier(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Tier tier;
    const auto* up_to = fields.optional_value("up_to");
    if (up_to && !up_to->is_null()) tier.up_to = fields.required_int("up_to", 1, most);
    tier.nano_per_million = fields.optional_int("nano_per_million", 0, 0, most);
    tier.nano_flat = fields.optional_int("nano_flat", 0, 0, most);
    ROOTSTOCK_CHECKED(fields.finish());
    return tier;
}

}  // namespace

Result<Rating> read_rating(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Rating rating;
    const auto mode = fields.optional_string("mode", "per_unit");
    const auto known = std::ranges::find(modes, mode, [](const auto& pair) { return std::string_view(pair.second); });
    if (known == modes.end()) {
        fields.fault("mode", "'mode' is flat, per_unit, graduated, volume or package");
    } else {
        rating.mode = known->first;
    }
    rating.package = fields.optional_int("package", 1, 1, most);
    rating.included = fields.optional_int("included", 0, 0, most);
    rating.nano_minimum = fields.optional_int("nano_minimum", 0, 0, most);
    const auto* tiers = fields.required_value("tiers");
    if (tiers && !tiers->is_array()) fields.fault("tiers", "'tiers' is a list");
    ROOTSTOCK_CHECKED(fields.finish());
    if (tiers->as_array().size() > tiers_max) return refuse_count();
    rating.tiers.clear();
    for (const auto& item : tiers->as_array()) {
        ROOTSTOCK_TRY(tier, read_tier(item, what));
        rating.tiers.push_back(tier);
    }
    ROOTSTOCK_CHECKED(check_rating(rating));
    return rating;
}

Result<Rating> parse_rating(std::string_view text, std::string_view what) {
    ROOTSTOCK_TRY(value, parse_json(text, what));
    return read_rating(value, what);
}

}  // namespace rootstock::ledger
