#include "ledger/partner.h"

#include <algorithm>

#include "ledger/plan.h"
#include "ledger/zone.h"

namespace rootstock::ledger {
namespace {

constexpr std::size_t code_min = 3, code_max = 40, text_max = 254;
constexpr std::int64_t hold_days_max = 365, months_max = 1200;

using Moment = std::optional<Timestamp>;

std::unexpected<Error> refuse(const char* sentence, const char* field) {
    return fail(ErrorCode::invalid_argument, sentence, field);
}

std::unexpected<Error> none() {
    return fail(ErrorCode::not_found, "there is no such partner", "id", "partner_not_found");
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

bool is_code(std::string_view code) {
    return code.size() >= code_min && code.size() <= code_max && std::ranges::all_of(code, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

Result<void> check(const Partner& partner) {
    if (!is_code(partner.code)) return refuse("a code has 3 to 40 letters, digits and hyphens", "code");
    if (partner.name.empty() || partner.name.size() > text_max) return refuse("a name has 1 to 254 bytes", "name");
    if (partner.email.size() > text_max) return refuse("an address has at most 254 bytes", "email");
    if (partner.basis_points < 1 || partner.basis_points > 10'000)
        return refuse("a partner earns 1 to 10000 basis points", "basis_points");
    if (partner.hold_days < 0 || partner.hold_days > hold_days_max)
        return refuse("commissions are held for 0 to 365 days", "hold_days");
    if (partner.months < 0 || partner.months > months_max)
        return refuse("a customer counts for 0 (always) to 1200 months", "months");
    return {};
}

constexpr const char* columns =
    "SELECT id, code, name, email, basis_points, hold_days, months, customer, ended_at, created_at FROM partner ";

template <typename... Args>
std::vector<Partner> read(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Partner> found;
    session.for_each<std::string, std::string, std::string, std::string, std::int64_t, std::int64_t, std::int64_t,
                     TenantId, Moment, Timestamp>(
        columns + where, [&](auto... values) { found.push_back({std::move(values)...}); }, args...);
    return found;
}

template <typename... Args>
std::vector<Attribution> read_attributions(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Attribution> found;
    session.for_each<TenantId, std::string, std::string, std::string, Timestamp, Moment>(
        "SELECT tenant_id, partner_id, rule, evidence, attributed_at, until_at FROM attribution " + where,
        [&](auto... values) { found.push_back({std::move(values)...}); }, args...);
    return found;
}

}  // namespace

Result<Partner> add_partner(store::Session& session, Partner partner, Timestamp now) {
    partner.code = lower(partner.code);
    ROOTSTOCK_CHECKED(check(partner));
    partner.id = mint_id("par", now);
    const auto added = session.execute(
        "INSERT INTO partner (id, code, name, email, basis_points, hold_days, months, customer, created_at) VALUES "
        "(:id, :code, :name, :email, :points, :hold, :months, :customer, :now) ON CONFLICT (code) DO NOTHING",
        partner.id, partner.code, partner.name, partner.email, partner.basis_points, partner.hold_days, partner.months,
        partner.tenant, now);
    if (added == 0)
        return fail(ErrorCode::already_exists, "there is a partner with this code already", "code", "partner_exists");
    return find_partner(session, partner.id);
}

Result<Partner> find_partner(store::Session& session, std::string_view code_or_id) {
    auto found = read(session, "WHERE code = :code OR id = :id", lower(code_or_id), code_or_id);
    if (found.empty()) return none();
    return std::move(found.front());
}

Result<Partner> end_partner(store::Session& session, std::string_view code_or_id, Timestamp now) {
    ROOTSTOCK_TRY(partner, find_partner(session, code_or_id));
    session.execute("UPDATE partner SET ended_at = :now WHERE id = :id AND ended_at IS NULL", now, partner.id);
    return find_partner(session, partner.id);
}

std::vector<Partner> partners(store::Session& session, std::string_view after, std::int64_t limit) {
    return read(session, "WHERE id > :after ORDER BY id LIMIT :limit", after, limit);
}

Result<Attribution> attribute(store::Session& session, const TenantId& tenant, std::string_view code_or_id,
                              std::string_view owner_email, std::string_view evidence, Timestamp now) {
    ROOTSTOCK_TRY(partner, find_partner(session, code_or_id));
    if (partner.ended) return none();
    const bool same_address = !owner_email.empty() && lower(owner_email) == lower(partner.email);
    if (partner.tenant == tenant || same_address)
        return fail(ErrorCode::invalid_argument, "nobody is a customer that he brought himself", "tenant",
                    "self_referral");
    Attribution made{.tenant = tenant, .partner = partner.id, .evidence = std::string(evidence), .attributed = now};
    if (partner.months > 0) {
        const Cycle months{"UTC", local_date("UTC", now), static_cast<int>(partner.months)};
        made.until = months.period(0).end;
    }
    const auto added = session.execute(
        "INSERT INTO attribution (tenant_id, partner_id, rule, evidence, attributed_at, until_at) VALUES (:tenant, "
        ":partner, :rule, :evidence, :now, :until) ON CONFLICT (tenant_id) DO NOTHING",
        made.tenant, made.partner, made.rule, made.evidence, now, made.until);
    if (added == 1) return made;
    return fail(ErrorCode::conflict, "this customer has a partner: the first touch stays", "tenant", "attributed");
}

std::optional<Attribution> attribution_of(store::Session& session, const TenantId& tenant) {
    auto found = read_attributions(session, "WHERE tenant_id = :tenant", tenant);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<Attribution> attributions(store::Session& session, const std::string& partner, std::string_view after,
                                      std::int64_t limit) {
    return read_attributions(session,
                             "WHERE partner_id = :partner AND tenant_id > :after ORDER BY tenant_id LIMIT :limit",
                             partner, after, limit);
}

json::object to_json(const Partner& partner) {
    return {{"id", partner.id},
            {"code", partner.code},
            {"name", partner.name},
            {"email", partner.email},
            {"basis_points", partner.basis_points},
            {"hold_days", partner.hold_days},
            {"months", partner.months},
            {"tenant", partner.tenant.empty() ? json::value(nullptr) : json::value(partner.tenant.text())},
            {"ended_at", partner.ended ? json::value(to_iso8601(*partner.ended)) : json::value(nullptr)},
            {"created_at", to_iso8601(partner.created)}};
}

json::object to_json(const Attribution& attribution) {
    return {{"tenant", attribution.tenant.text()},
            {"partner", attribution.partner},
            {"rule", attribution.rule},
            {"evidence", attribution.evidence},
            {"attributed_at", to_iso8601(attribution.attributed)},
            {"until", attribution.until ? json::value(to_iso8601(*attribution.until)) : json::value(nullptr)}};
}

Result<Partner> read_partner(const json::value& value, std::string_view what) {
    JsonFields fields(value, what);
    Partner partner{.code = fields.required_string("code"),
                    .name = fields.required_string("name"),
                    .email = fields.optional_string("email", ""),
                    .basis_points = fields.required_int("basis_points", 1, 10'000),
                    .hold_days = fields.optional_int("hold_days", 30, 0, hold_days_max),
                    .months = fields.optional_int("months", 0, 0, months_max)};
    ROOTSTOCK_CHECKED(fields.finish());
    return partner;
}

}  // namespace rootstock::ledger
