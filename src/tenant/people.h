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

std::vector<Membership> memberships_of(store::Session& session, const PersonId& person);

}  // namespace rootstock::tenant
