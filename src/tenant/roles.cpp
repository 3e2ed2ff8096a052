#include "tenant/roles.h"

namespace rootstock::tenant {

const char* name(Role role) {
    constexpr const char* names[] = {"owner", "admin", "developer", "billing", "support", "auditor"};
    return names[static_cast<std::size_t>(role)];
}

Result<Role> role_of(std::string_view word) {
    for (const auto role : roles)
        if (word == name(role)) return role;
    return fail(ErrorCode::invalid_argument, "a role is one of owner, admin, developer, billing, support, auditor",
                "role");
}

}  // namespace rootstock::tenant
