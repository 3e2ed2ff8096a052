#include "http/client/addresses.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstring>
#include <optional>

namespace rootstock::http {
namespace {

namespace ip = boost::asio::ip;

struct Network {
    ip::address base;
    int bits = 0;
};

std::optional<Network> network_of(std::string_view text) {
    const auto slash = text.find('/');
    boost::system::error_code fault;
    const auto base = ip::make_address(std::string(text.substr(0, slash)), fault);
    if (fault) return std::nullopt;
    const int all = base.is_v4() ? 32 : 128;
    if (slash == std::string_view::npos) return Network{base, all};
    const auto digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    const int bits = std::stoi(std::string(digits));
    return bits <= all ? std::optional(Network{base, bits}) : std::nullopt;
}

template <typename Bytes>
bool same_beginning(const Bytes& a, const Bytes& b, int bits) {
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
    const int rest = bits % 8;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool contains(const Network& network, const ip::address& address) {
    if (network.base.is_v4() != address.is_v4()) return false;
    return address.is_v4() ? same_beginning(network.base.to_v4().to_bytes(), address.to_v4().to_bytes(), network.bits)
                           : same_beginning(network.base.to_v6().to_bytes(), address.to_v6().to_bytes(), network.bits);
}

bool is_in(const ip::address& address, const auto& networks) {
    return std::ranges::any_of(networks, [&](std::string_view text) {
        const auto network = network_of(text);
        return network && contains(*network, address);
    });
}

constexpr std::array<std::string_view, 16> special_v4 = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",   "127.0.0.0/8",     "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",  "192.0.2.0/24",    "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",  "224.0.0.0/3"};
constexpr std::array<std::string_view, 1> global_v6 = {"2000::/3"};
constexpr std::array<std::string_view, 4> special_v6 = {"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};

}  // namespace

bool is_public_address(std::string_view text) {
    const auto address = network_of(text);
    if (!address || text.find('/') != std::string_view::npos) return false;
    if (address->base.is_v4()) return !is_in(address->base, special_v4);
    return is_in(address->base, global_v6) && !is_in(address->base, special_v6);
}

bool may_reach(const AddressRule& rule, std::string_view text) {
    if (!rule.public_only || is_public_address(text)) return true;
    const auto address = network_of(text);
    return address && is_in(address->base, rule.allowed);
}

Result<void> check_networks(const std::vector<std::string>& networks) {
    for (const auto& text : networks)
        if (!network_of(text))
            return fail(ErrorCode::invalid_argument,
                        "'" + text + "' is neither an address nor a network such as 10.20.0.0/16");
    return {};
}

}  // namespace rootstock::http
