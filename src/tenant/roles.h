#pragma once
// What a person may be in a tenant, or in the house. What each role may do stands with every operation of
// api/openapi.yaml (x-roles) and nowhere else; `rootstock user roles` prints it as one table.
//
//   owner      everything, and the only one who names or removes owners
//   admin      people, keys and settings
//   developer  keys, models and what they did
//   billing    plans, invoices and payments
//   support    looks, and helps: no money, no keys
//   auditor    looks at everything, changes nothing

#include <array>
#include <string_view>

#include "base/base.h"

namespace rootstock::tenant {

enum class Role { owner, admin, developer, billing, support, auditor };

inline constexpr std::array roles{Role::owner,   Role::admin,   Role::developer,
                                  Role::billing, Role::support, Role::auditor};

const char* name(Role role);
Result<Role> role_of(std::string_view name);  // invalid_argument, param "role"

}  // namespace rootstock::tenant
