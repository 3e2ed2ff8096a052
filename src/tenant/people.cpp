#include "tenant/people.h"

#include <algorithm>

namespace rootstock::tenant {
namespace {

constexpr std::size_t email_max = 254, name_max = 200;

constexpr const char* columns =
    "SELECT p.id, p.email, p.name, p.status, p.confirmed_at, p.created_at, p.version FROM person p ";

template <typename... Args>
std::vector<Person> select(store::Session& session, const std::string& where, const Args&... args) {
    std::vector<Person> persons;
    for (auto& [id, email, name, status, confirmed, created, version] :
         session
             .query<PersonId, std::string, std::string, std::string, std::optional<Timestamp>, Timestamp, std::int64_t>(
                 columns + where, args...))
        persons.push_back({id, email, name, status == "active", confirmed.has_value(), created, version});
    return persons;
}

std::unexpected<Error> no_member() {
    return fail(ErrorCode::not_found, "there is no such member", "id", "member_not_found");
}

std::optional<Role> role_in(store::Session& session, const TenantId& tenant, const PersonId& person) {
    auto row = session.first<std::string>(
        "SELECT role FROM membership WHERE tenant_id = :tenant AND person_id = :person", tenant, person);
    if (!row) return std::nullopt;
    return *role_of(std::get<0>(*row));
}

// Would the tenant be without an owner, if this person were none?
Result<void> check_owned(store::Session& session, const TenantId& tenant, const PersonId& person) {
    if (role_in(session, tenant, person) != Role::owner) return {};
    const auto others = session.value<std::int64_t>(
        "SELECT COUNT(*) FROM membership WHERE tenant_id = :tenant AND role = 'owner' AND person_id <> :person", tenant,
        person);
    if (others > 0) return {};
    return fail(ErrorCode::conflict, "this is the last owner: make somebody else an owner first", "role", "last_owner");
}

}  // namespace

Result<std::string> read_email(std::string_view text) {
    const auto at = text.find('@');
    const bool shaped = text.size() <= email_max && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
                        text.find('@', at + 1) == std::string_view::npos &&
                        std::ranges::all_of(text, [](char c) { return c > ' ' && c != 127 && c != '<' && c != '>'; });
    if (!shaped) return fail(ErrorCode::invalid_argument, "this is no e-mail address", "email");
    std::string email(text);
    std::ranges::transform(email, email.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return email;
}

Result<Person> create_person(store::Session& session, std::string_view email, std::string_view name,
                             const std::optional<std::string>& password, Timestamp now) {
    ROOTSTOCK_TRY(address, read_email(email));
    if (name.size() > name_max)
        return fail(ErrorCode::invalid_argument, "a person's name has at most 200 bytes", "name");
    Person person;
    person.id = mint<PersonTag>(now);
    person.email = address;
    person.name = std::string(name);
    person.created = now;
    const auto added = session.execute(
        "INSERT INTO person (id, email, name, status, password, created_at) "
        "VALUES (:id, :email, :name, 'active', :password, :created) ON CONFLICT (email) DO NOTHING",
        person.id, person.email, person.name, password, now);
    if (added == 1) return person;
    return fail(ErrorCode::already_exists, "there is a person with this address already", "email", "person_exists");
}

std::optional<Person> find_person(store::Session& session, std::string_view email_or_id) {
    auto found = select(session, "WHERE p.email = :email OR p.id = :id", email_or_id, email_or_id);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<Person> list_persons(store::Session& session) { return select(session, "ORDER BY p.email"); }

std::optional<std::string> kept_password(store::Session& session, std::string_view email_or_id) {
    auto row = session.first<std::optional<std::string>>(
        "SELECT password FROM person WHERE (email = :email OR id = :id) AND status = 'active'", email_or_id,
        email_or_id);
    if (!row) return std::nullopt;
    return std::get<0>(*row);
}

void set_password(store::Session& session, const PersonId& person, const std::string& hash) {
    session.execute("UPDATE person SET password = :hash, version = version + 1 WHERE id = :id", hash, person);
}

std::vector<Member> list_members(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                 std::int64_t limit) {
    std::vector<Member> members;
    for (auto& [tenant, tenant_name, role, id] : session.query<TenantId, std::string, std::string, PersonId>(
             "SELECT m.tenant_id, t.name, m.role, m.person_id FROM membership m JOIN tenant t ON t.id = m.tenant_id "
             "WHERE (:everybody = 1 OR m.tenant_id = :only) AND m.person_id || ' ' || m.tenant_id > :after "
             "ORDER BY m.person_id || ' ' || m.tenant_id LIMIT :limit",
             only ? 0 : 1, only.value_or(TenantId{}), after, limit))
        members.push_back({*find_person(session, id.text()), {tenant, tenant_name, *role_of(role)}});
    return members;
}

Result<void> set_role(store::Session& session, const TenantId& tenant, const PersonId& person, Role role,
                      Timestamp now) {
    if (role != Role::owner) ROOTSTOCK_CHECKED(check_owned(session, tenant, person));
    session.execute(
        "INSERT INTO membership (tenant_id, person_id, role, created_at) VALUES (:tenant, :person, :role, :now) "
        "ON CONFLICT (tenant_id, person_id) DO UPDATE SET role = excluded.role",
        tenant, person, std::string(name(role)), now);
    return {};
}

Result<void> remove_member(store::Session& session, const TenantId& tenant, const PersonId& person) {
    ROOTSTOCK_CHECKED(check_owned(session, tenant, person));
    const auto removed =
        session.execute("DELETE FROM membership WHERE tenant_id = :tenant AND person_id = :person", tenant, person);
    if (removed == 0) return no_member();
    return {};
}

}  // namespace rootstock::tenant
