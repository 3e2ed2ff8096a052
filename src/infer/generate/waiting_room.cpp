#include "infer/generate/waiting_room.h"

#include <algorithm>

namespace rootstock {

WaitingRoom::WaitingRoom(const WriterSettings& settings)
    : all_max_{settings.requests_waiting_max, settings.tokens_waiting_max} {
    const auto share = [&](std::size_t all) {
        return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(all) * settings.tenant_share_max));
    };
    tenant_max_ = {share(all_max_.requests), share(all_max_.tokens)};
}

Result<void> WaitingRoom::enter(const TenantId& tenant, std::size_t tokens) {
    const std::lock_guard lock(mutex_);
    if (tokens > tenant_max_.tokens)
        return fail(ErrorCode::too_large, "one request may bring at most " + std::to_string(tenant_max_.tokens) +
                                              " tokens; shorten the prompt");
    if (all_.requests >= all_max_.requests || all_.tokens + tokens > all_max_.tokens)
        return fail(ErrorCode::overloaded, "the queue is full; come back in a moment", {}, "queue_full");
    auto& own = tenants_[tenant];
    if (own.requests >= tenant_max_.requests || own.tokens + tokens > tenant_max_.tokens)
        return fail(ErrorCode::rate_limited, "too many of your requests wait already; come back in a moment", {},
                    "tenant_queue_full");
    ++own.requests, own.tokens += tokens;
    ++all_.requests, all_.tokens += tokens;
    return {};
}

void WaitingRoom::leave(const TenantId& tenant, std::size_t tokens) {
    const std::lock_guard lock(mutex_);
    const auto place = tenants_.find(tenant);
    ROOTSTOCK_CHECK(place != tenants_.end(), "who leaves has entered");
    --place->second.requests, place->second.tokens -= tokens;
    --all_.requests, all_.tokens -= tokens;
    if (place->second.requests == 0) tenants_.erase(place);
}

}  // namespace rootstock
