#pragma once
// Signing up for a trial: a wish that waits until its e-mail address has answered.
//
// The letter's token is the wish's id and its signature by the server's own key, so that a copy of the records opens
// nothing. It is good for two days and for one tenant. One trial per owner: addresses that reach the same person count
// as one ("j.doe+x@gmail.com" is "jdoe@gmail.com"), and what is kept of them is a keyed hash.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"
#include "store/store.h"
#include "tenant/second_factor.h"

namespace rootstock::tenant {

inline constexpr std::chrono::hours sign_up_lasts{48};
inline constexpr std::chrono::minutes sign_up_pause{10};  // between two letters to one owner

struct SignUp {
    std::string id{};
    std::string email{}, name{}, plan{};
    std::string coupon{}, referral{};  // codes; empty: none
    std::string language{"en"};        // of its letters and pages
    Timestamp expires{};
};

// Keeps a wish. Nothing when a letter went to this owner a moment ago: then none is to be sent.
struct BegunSignUp {
    SignUp wish;
    std::string token;       // for the letter
    bool had_trial = false;  // this owner's letter says so instead, and has no token
};
Result<std::optional<BegunSignUp>> begin_sign_up(store::Session& session, const DeriveSecret& derive, SignUp wish,
                                                 Timestamp now);

// not_found, reason "sign_up_not_found", for an unknown, used or late token, and for an owner who has had a trial: all
// sound the same.
Result<SignUp> find_sign_up(store::Session& session, const DeriveSecret& derive, std::string_view token, Timestamp now);
// The same, and uses it up: from now on this owner has had its trial, in `tenant`.
Result<SignUp> take_sign_up(store::Session& session, const DeriveSecret& derive, std::string_view token,
                            const TenantId& tenant, Timestamp now);

// The address that stands for all that reach the same person.
std::string owner_address(std::string_view email);

// A tenant's name that nobody has, after what somebody calls himself: "Acme GmbH" -> "acme-gmbh", "acme-gmbh-7k2p9q".
std::string free_tenant_name(store::Session& session, std::string_view called);

}  // namespace rootstock::tenant
