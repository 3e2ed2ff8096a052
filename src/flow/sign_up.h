#pragma once
// A stranger becomes a customer: a letter with a link, and, when its owner comes back with it, a tenant, its owner, a
// subscription in its trial and its credit, in one transaction.

#include <optional>
#include <string>

#include "base/base.h"
#include "flow/deliver/letters.h"
#include "ledger/ledger.h"
#include "outbox/outbox.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace rootstock::signup {

struct Welcome {
    tenant::Tenant tenant;
    tenant::Person person;
    ledger::Subscription subscription;
};

// Posts the letter: `url` is where the server is. not_found, reason "plan_not_found", for a plan that is not on offer
// or has no trial. Whether the address is known changes the letter only, never the answer.
Result<void> ask(store::Session& session, const outbox::Vault& vault, tenant::SignUp wish, const std::string& url,
                 Timestamp now);

// `password_hash` is that of a person who is new; who has a password already was asked for it before. Errors of
// find_sign_up.
Result<Welcome> confirm(store::Session& session, const outbox::Vault& vault, const std::string& token,
                        const std::string& password_hash, Timestamp now);

}  // namespace rootstock::signup
