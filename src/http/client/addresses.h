#pragma once
// Which machines a request of ours may reach. An address that a customer names (a webhook) must not lead into the
// house: the check is made on the very address that the connection is opened to, so that a name which answers with one
// address when it is looked at and with another when it is used gains nothing (DNS rebinding).

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::http {

struct AddressRule {
    bool public_only = false;            // refuse what is_public_address does not know as the public internet
    std::vector<std::string> allowed{};  // and these all the same: "127.0.0.1", "10.20.0.0/16", "fd00::/8"
};

// Is it an address of the public internet? Not for loopback, private, link-local (metadata services live there),
// shared, multicast, reserved and documentation ranges, nor for those that carry another address inside (IPv4-mapped,
// 6to4, Teredo, NAT64): IANA's registries of special-purpose addresses. Nor for what is no address.
bool is_public_address(std::string_view address);

bool may_reach(const AddressRule& rule, std::string_view address);

// invalid_argument for what is neither an address nor a network.
Result<void> check_networks(const std::vector<std::string>& networks);

}  // namespace rootstock::http
