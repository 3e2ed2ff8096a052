#include "tenant/people.h"

namespace rootstock::tenant {
namespace {

constexpr std::size_t token_digits = 43;  // 62^43 > 2^256

std::int64_t micros(std::chrono::microseconds span) { return span.count(); }

std::unexpected<Error> ended() {
    return fail(ErrorCode::unauthenticated, "you are not signed in, or were not for too long: sign in again", {},
                "session_ended");
}

}  // namespace

Result<SignedIn> find_signed_in(store::Session& session, std::string_view token, Timestamp now) {
    if (token.size() != token_digits) return ended();
    auto row = session.first<SignInId, Timestamp, Timestamp, PersonId, std::string, std::string, std::string,
                             std::optional<Timestamp>, Timestamp, std::int64_t>(
        "SELECT s.id, s.used_at, s.expires_at, p.id, p.email, p.name, p.status, p.confirmed_at, p.created_at, "
        "p.version FROM sign_in s JOIN person p ON p.id = s.person_id "
        "WHERE s.token_hash = :hash AND s.ended_at IS NULL",
        sha256_hex(token));
    if (!row) return ended();
    auto& [id, used, expires, person, email, name, status, confirmed, created, version] = *row;
    const bool idle = used.micros + micros(sign_in_idle) <= now.micros;
    if (status != "active" || expires <= now || idle) return ended();
    SignedIn signed_in;
    signed_in.person = Person{person, email, name, true, confirmed.has_value(), created, version};
    signed_in.session = id;
    signed_in.used = used;
    signed_in.expires = expires;
    signed_in.memberships = memberships_of(session, person);
    return signed_in;
}

void mark_used(store::Session& session, const SignInId& id, Timestamp now) {
    session.execute("UPDATE sign_in SET used_at = :now WHERE id = :id AND used_at < :before", now, id, now);
}

NewSignIn begin_session(store::Session& session, const PersonId& person, Timestamp now) {
    NewSignIn made{mint<SignInTag>(now), secret_base62(token_digits), {now.micros + micros(sign_in_absolute)}};
    session.execute(
        "INSERT INTO sign_in (id, token_hash, person_id, created_at, used_at, expires_at) "
        "VALUES (:id, :hash, :person, :created, :used, :expires)",
        made.id, sha256_hex(made.token), person, now, now, made.expires);
    return made;
}

void end_session(store::Session& session, const SignInId& id, Timestamp now) {
    session.execute("UPDATE sign_in SET ended_at = :now WHERE id = :id AND ended_at IS NULL", now, id);
}

std::int64_t end_sessions(store::Session& session, const PersonId& person, const SignInId& but, Timestamp now) {
    return session.execute(
        "UPDATE sign_in SET ended_at = :now WHERE person_id = :person AND id <> :but AND ended_at IS NULL", now, person,
        but);
}

std::string csrf_of(std::string_view token) { return sha256_hex("csrf " + std::string(token)); }

std::vector<Membership> memberships_of(store::Session& session, const PersonId& person) {
    std::vector<Membership> memberships;
    for (auto& [tenant, name, role] : session.query<TenantId, std::string, std::string>(
             "SELECT m.tenant_id, t.name, m.role FROM membership m JOIN tenant t ON t.id = m.tenant_id "
             "WHERE m.person_id = :person ORDER BY m.tenant_id",
             person)) {
        auto known = role_of(role);
        ROOTSTOCK_CHECK(known.has_value(), "a membership has a role that nobody knows");
        memberships.push_back({std::move(tenant), std::move(name), *known});
    }
    return memberships;
}

}  // namespace rootstock::tenant
