#include "ledger/billing_details.h"

#include <algorithm>

namespace rootstock::ledger {
namespace {

constexpr std::size_t text_max = 500;

std::string text(const json::object& object, std::string_view key) { return std::string(object.at(key).as_string()); }

Result<void> check(const Party& party) {
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (!party.country.empty() && (party.country.size() != 2 || !std::ranges::all_of(party.country, capital)))
        return fail(ErrorCode::invalid_argument, "a country is two capital letters, such as DE", "country");
    if (party.language != "en" && party.language != "zh")
        return fail(ErrorCode::invalid_argument, "papers are written in en or zh", "language");
    for (const auto& [key, value] : to_json(party))
        if (value.as_string().size() > text_max)
            return fail(ErrorCode::invalid_argument, "at most 500 bytes stand here", std::string(key));
    return {};
}

}  // namespace

Party billing_details(store::Session& session, const TenantId& tenant) {
    auto row = session.first<std::string, std::string, std::string, std::string, std::string, std::string, std::string,
                             std::int64_t>(
        "SELECT name, address, country, region, tax_id, email, language, version FROM billing_details "
        "WHERE tenant_id = :tenant",
        tenant);
    return row ? std::make_from_tuple<Party>(std::move(*row)) : Party{};
}

Result<Party> set_billing_details(store::Session& session, const TenantId& tenant, Party party, Timestamp now) {
    ROOTSTOCK_CHECKED(check(party));
    session.execute(
        "INSERT INTO billing_details (tenant_id, name, address, country, region, tax_id, email, language, version, "
        "updated_at) VALUES (:tenant, :name, :address, :country, :region, :tax, :email, :language, 1, :now) "
        "ON CONFLICT (tenant_id) DO UPDATE SET name = excluded.name, address = excluded.address, "
        "country = excluded.country, region = excluded.region, tax_id = excluded.tax_id, email = excluded.email, "
        "language = excluded.language, version = billing_details.version + 1, updated_at = excluded.updated_at",
        tenant, party.name, party.address, party.country, party.region, party.tax_id, party.email, party.language, now);
    return billing_details(session, tenant);
}

json::object to_json(const Party& party) {
    return {{"name", party.name},     {"address", party.address}, {"country", party.country},  {"region", party.region},
            {"tax_id", party.tax_id}, {"email", party.email},     {"language", party.language}};
}

Party party_from(const json::object& object) {
    return {text(object, "name"),   text(object, "address"), text(object, "country"), text(object, "region"),
            text(object, "tax_id"), text(object, "email"),   text(object, "language")};
}

}  // namespace rootstock::ledger
