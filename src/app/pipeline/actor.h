#pragma once
// Who calls the management API, and for whom.

#include <optional>
#include <string>

#include "base/base.h"
#include "tenant/tenant.h"

namespace rootstock {

struct Actor {
    tenant::PersonId person{};                   // who is signed in, or
    ApiKeyId key{};                              // the key that calls
    std::optional<tenant::Role> role{};          // by which the person was let in
    bool house = false;                          // acts for the house
    std::optional<TenantId> tenant{TenantId{}};  // whom the call concerns; nothing: everybody (x-subject: tenants)

    // May it see what belongs to this tenant? What it may not see answers like what is not there.
    bool sees(const TenantId& owner) const { return !tenant || *tenant == owner; }
    const std::string& id() const { return key.empty() ? person.text() : key.text(); }  // for records: who did it
};

}  // namespace rootstock
