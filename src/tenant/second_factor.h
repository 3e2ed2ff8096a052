#pragma once
// A second factor to sign in with: codes of an authenticator (totp.h), and ten recovery codes for the day it is lost.
//
// The authenticator's secret is not kept: it follows from the server's own key, the person and a generation.
// Of the recovery codes only the SHA-256 is kept; they carry 80 random bits. Every code opens once.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"
#include "tenant/people.h"

namespace rootstock::tenant {

struct SecondFactor {
    bool on = false;  // asked for at sign-in
    std::int64_t generation = 0;
    std::int64_t recovery_codes = 0;  // not used yet
};
SecondFactor second_factor(store::Session& session, const PersonId& person);

// 32 bytes for this person and generation only, of which the authenticator gets the first totp_secret_bytes.
using DeriveSecret = std::function<std::string(const std::string& purpose)>;
std::string totp_secret(const DeriveSecret& derive, const PersonId& person, std::int64_t generation);

// A fresh generation, asked for only after it was confirmed. conflict, reason "second_factor_state", when one is on.
Result<SecondFactor> begin_second_factor(store::Session& session, const PersonId& person);

// Turns it on by the authenticator's first code, and gives the recovery codes, which exist only here.
// permission_denied, reason "code_wrong"; conflict, reason "second_factor_state", when none was begun or one is on.
Result<std::vector<std::string>> confirm_second_factor(store::Session& session, const DeriveSecret& derive,
                                                       const PersonId& person, std::string_view code, Timestamp now);

// What sign-in asks for behind the password: nothing without a second factor. unauthenticated, reason "code_needed"
// without a code, "sign_in_refused" for a wrong or used one.
Result<void> pass_second_factor(store::Session& session, const DeriveSecret& derive, const PersonId& person,
                                const std::optional<std::string>& code, Timestamp now);

// Removing what is not there is fine.
void remove_second_factor(store::Session& session, const PersonId& person);

}  // namespace rootstock::tenant
