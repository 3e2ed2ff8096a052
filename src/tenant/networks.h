#pragma once
// From where a key may call: address ranges in CIDR form, IPv4 and IPv6 ("10.0.0.0/8", "2001:db8::/32").

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::tenant {

using Networks = std::vector<std::string>;

inline constexpr std::size_t networks_max = 32;

// As they are stored: each as the standard writes it, a blank between. invalid_argument, param "networks", for what is
// no range, for bits behind the prefix, or for too many.
Result<std::string> join_networks(const Networks& networks);

// Is the address in one of the stored ranges? Without any, every address is.
bool within(std::string_view stored, const std::string& address);

}  // namespace rootstock::tenant
