#include "tenant/people.h"

namespace rootstock::tenant {
namespace {

constexpr std::size_t token_digits = 43;  // 62^43 > 2^256

}  // namespace

Result<NewInvitation> invite(store::Session& session, const TenantId& tenant, std::string_view email, Role role,
                             std::string_view by, Timestamp now) {
    ROOTSTOCK_TRY(address, read_email(email));
    const std::chrono::microseconds lasts = invitation_lasts;
    NewInvitation made{mint_id("ivt", now), address, secret_base62(token_digits), role, {now.micros + lasts.count()}};
    session.execute(
        "INSERT INTO invitation (id, tenant_id, email, role, token_hash, made_by, created_at, expires_at) "
        "VALUES (:id, :tenant, :email, :role, :hash, :made_by, :created, :expires)",
        made.id, tenant, made.email, std::string(name(role)), sha256_hex(made.token), by, now, made.expires);
    return made;
}

Result<Invited> find_invitation(store::Session& session, std::string_view token, Timestamp now) {
    auto row = session.first<TenantId, std::string, std::string>(
        "SELECT tenant_id, email, role FROM invitation WHERE token_hash = :hash AND used_at IS NULL AND "
        "expires_at > :now",
        sha256_hex(token), now);
    if (!row)
        return fail(ErrorCode::not_found, "there is no such invitation, or it was used or is too old: ask for another",
                    "token", "invitation_not_found");
    auto& [tenant, email, role] = *row;
    return Invited{tenant, email, *role_of(role)};
}

Result<Person> accept_invitation(store::Session& session, std::string_view token, std::string_view name,
                                 const std::string& password_hash, Timestamp now) {
    ROOTSTOCK_TRY(invited, find_invitation(session, token, now));
    session.execute("UPDATE invitation SET used_at = :now WHERE token_hash = :hash", now, sha256_hex(token));
    auto person = find_person(session, invited.email);
    if (!person) {
        ROOTSTOCK_TRY(made, create_person(session, invited.email, name, password_hash, now));
        person = std::move(made);
    }
    // Who has the token reads the mail of that address.
    session.execute("UPDATE person SET confirmed_at = :now WHERE id = :id AND confirmed_at IS NULL", now, person->id);
    ROOTSTOCK_CHECKED(set_role(session, invited.tenant, person->id, invited.role, now));
    return std::move(*find_person(session, person->id.text()));
}

}  // namespace rootstock::tenant
