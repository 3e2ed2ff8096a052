#pragma once
// People: who they are, what they are in which tenant, and the sessions they are signed in with.
//
// A membership in the house (the tenant without an id) lets a person act for every tenant by that role.
//
// A session is a random token of 256 bits in a cookie; the database keeps its SHA-256. It ends an hour after it was
// last used, twelve hours after it began, when its person signs out, and when the person is switched off.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"
#include "tenant/roles.h"

namespace rootstock::tenant {

struct PersonTag {
    static constexpr const char* prefix = "usr";
};
struct SignInTag {
    static constexpr const char* prefix = "ses";
};
using PersonId = Id<PersonTag>;
using SignInId = Id<SignInTag>;

inline constexpr std::chrono::hours sign_in_absolute{12};
inline constexpr std::chrono::minutes sign_in_idle{60};
inline constexpr std::chrono::minutes sign_in_marked_every{1};  // how exactly the last use is kept

struct Person {
    PersonId id;
    std::string email;  // lower case; unique
    std::string name;
    bool active = true;
    bool confirmed = false;  // the address answered
    Timestamp created;
    std::int64_t version = 1;
};

struct Membership {
    TenantId tenant;  // empty: the house
    std::string tenant_name;
    Role role = Role::auditor;
};

// A person at the other end of a request.
struct SignedIn {
    Person person;
    SignInId session;
    Timestamp used, expires;
    std::vector<Membership> memberships;  // the house first
};

// Whose session is it? unauthenticated, reason "session_ended", for an unknown, ended or idle one: all sound the same.
Result<SignedIn> find_signed_in(store::Session& session, std::string_view token, Timestamp now);

// The session was used: to be called when `used` lies sign_in_marked_every behind.
void mark_used(store::Session& session, const SignInId& id, Timestamp now);

struct NewSignIn {
    SignInId id;
    std::string token;  // for the cookie; exists only here
    Timestamp expires;
};
NewSignIn begin_session(store::Session& session, const PersonId& person, Timestamp now);

// What pages must send along with every change (X-CSRF-Token): other sites cannot read it, and it is of no use without
// the cookie. It follows from the token, so nothing more is kept.
std::string csrf_of(std::string_view token);

// Ends one session, or all of a person's (but one). Ending twice is fine.
void end_session(store::Session& session, const SignInId& id, Timestamp now);
std::int64_t end_sessions(store::Session& session, const PersonId& person, const SignInId& but, Timestamp now);

// ---- persons ----

Result<std::string> read_email(std::string_view text);  // in lower case; invalid_argument, param "email"

// `password` is a hash (password.h). already_exists, reason "person_exists".
Result<Person> create_person(store::Session& session, std::string_view email, std::string_view name,
                             const std::optional<std::string>& password, Timestamp now);
std::optional<Person> find_person(store::Session& session, std::string_view email_or_id);
std::vector<Person> list_persons(store::Session& session);

// The hash that is kept; nothing for who is not there, is switched off or has none.
std::optional<std::string> kept_password(store::Session& session, std::string_view email_or_id);
void set_password(store::Session& session, const PersonId& person, const std::string& hash);

// ---- who is what, where ----

struct Member {
    Person person;
    Membership membership;
};
// Oldest person first, from behind `after` on; of one tenant, or of all and the house.
std::vector<Member> list_members(store::Session& session, const std::optional<TenantId>& only, std::string_view after,
                                 std::int64_t limit);
// Makes or changes a membership. conflict, reason "last_owner", when nobody would own the tenant any more.
Result<void> set_role(store::Session& session, const TenantId& tenant, const PersonId& person, Role role,
                      Timestamp now);
// not_found, reason "member_not_found"; conflict, reason "last_owner".
Result<void> remove_member(store::Session& session, const TenantId& tenant, const PersonId& person);

// ---- invitations: a token that is told once and kept as its SHA-256, good for a week and for one person ----

inline constexpr std::chrono::hours invitation_lasts{7 * 24};

struct NewInvitation {
    std::string id, email, token;
    Role role = Role::auditor;
    Timestamp expires;
};
Result<NewInvitation> invite(store::Session& session, const TenantId& tenant, std::string_view email, Role role,
                             std::string_view by, Timestamp now);
// Makes the person if there is none under that address; whoever is there keeps the password and must bring it.
// not_found, reason "invitation_not_found", for an unknown, used or late token: all sound the same.
struct Invited {
    TenantId tenant;
    std::string email;
    Role role = Role::auditor;
};
Result<Invited> find_invitation(store::Session& session, std::string_view token, Timestamp now);
Result<Person> accept_invitation(store::Session& session, std::string_view token, std::string_view name,
                                 const std::string& password_hash, Timestamp now);

std::vector<Membership> memberships_of(store::Session& session, const PersonId& person);

}  // namespace rootstock::tenant
