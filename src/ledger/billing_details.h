#pragma once
// Who stands on an invoice: a tenant's billing details, and those of the house (the empty tenant), which issues it.

#include <string>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

struct Party {
    std::string name{};
    std::string address{};  // lines
    std::string country{};  // ISO 3166, two capitals; empty: no tax applies
    std::string region{};   // as tax rates spell it
    std::string tax_id{};
    std::string email{};
    std::string language{"en"};  // of its papers: "en" or "zh"
    std::int64_t version = 0;    // 0: never set
};

// Empty fields where nothing was said.
Party billing_details(store::Session& session, const TenantId& tenant);
// invalid_argument for a country that is not two capitals, another language, or text above 500 bytes.
Result<Party> set_billing_details(store::Session& session, const TenantId& tenant, Party party, Timestamp now);

json::object to_json(const Party& party);      // without the version
Party party_from(const json::object& object);  // what to_json wrote

}  // namespace rootstock::ledger
