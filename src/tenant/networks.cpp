#include "tenant/networks.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <optional>

#include "tenant/scopes.h"

namespace rootstock::tenant {
namespace {

struct Address {
    int family = 0;
    std::array<unsigned char, 16> bytes{};
    int bits() const { return family == AF_INET ? 32 : 128; }
};

std::optional<Address> read_address(const std::string& text) {
    Address address;
    for (const int family : {AF_INET, AF_INET6}) {
        address.family = family;
        if (::inet_pton(family, text.c_str(), address.bytes.data()) == 1) return address;
    }
    return std::nullopt;
}

bool bit(const Address& address, int place) {
    const auto byte = address.bytes[static_cast<std::size_t>(place / 8)];
    return ((byte >> (7 - place % 8)) & 1) != 0;
}

struct Range {
    Address base;
    int prefix = 0;
};

std::optional<Range> read_range(std::string_view text) {
    if (text.size() > 64 || text.find('\0') != std::string_view::npos) return std::nullopt;
    const auto slash = text.find('/');
    auto base = read_address(std::string(text.substr(0, slash)));
    if (!base) return std::nullopt;
    Range range{*base, base->bits()};
    if (slash == std::string_view::npos) return range;
    const auto digits = text.substr(slash + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), range.prefix);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
    if (range.prefix < 0 || range.prefix > base->bits()) return std::nullopt;
    for (int place = range.prefix; place < base->bits(); ++place)
        if (bit(*base, place)) return std::nullopt;
    return range;
}

std::string text_of(const Range& range) {
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(range.base.family, range.base.bytes.data(), text, sizeof text);
    return std::string(text) + "/" + std::to_string(range.prefix);
}

bool holds_address(const Range& range, const Address& address) {
    if (range.base.family != address.family) return false;
    for (int place = 0; place < range.prefix; ++place)
        if (bit(range.base, place) != bit(address, place)) return false;
    return true;
}

}  // namespace

Result<std::string> join_networks(const Networks& networks) {
    if (networks.size() > networks_max)
        return fail(ErrorCode::invalid_argument, "a key has at most 32 networks", "networks");
    std::string stored;
    for (const auto& network : networks) {
        const auto range = read_range(network);
        if (!range)
            return fail(ErrorCode::invalid_argument,
                        "a network is written like 10.0.0.0/8 or 2001:db8::/32, without bits behind the prefix",
                        "networks");
        stored.append(stored.empty() ? "" : " ").append(text_of(*range));
    }
    return stored;
}

bool within(std::string_view stored, const std::string& address) {
    if (stored.empty()) return true;
    const auto read = read_address(address);
    if (!read) return false;
    for (const auto& network : split_scopes(stored))
        if (const auto range = read_range(network); range && holds_address(*range, *read)) return true;
    return false;
}

}  // namespace rootstock::tenant
