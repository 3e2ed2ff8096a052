// tenant: from where a key may call, a range a line; the last line is the address of who calls.

#include "tenant/networks.h"

#include <cstdlib>

#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::as_text(data, size);
    tenant::Networks networks;
    while (true) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos) break;
        networks.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    const std::string address(rest);
    const auto stored = tenant::join_networks(networks);
    // What is stored may be anything, should the records be spoiled: then nobody is let in by accident.
    fuzz::use(tenant::within(rest, "10.0.0.1"));
    if (!stored) return 0;
    const bool inside = tenant::within(*stored, address);
    if (networks.empty() && !inside) std::abort();
    // In its own form it is the same again.
    tenant::Networks again;
    for (std::size_t at = 0; at < stored->size();) {
        const auto end = std::min(stored->find(' ', at), stored->size());
        again.push_back(stored->substr(at, end - at));
        at = end + 1;
    }
    const auto twice = tenant::join_networks(again);
    if (!twice || *twice != *stored || tenant::within(*twice, address) != inside) std::abort();
    return 0;
}
