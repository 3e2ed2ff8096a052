#pragma once
// How many requests may wait, of all tenants and of one. Shared by the callers' threads and the writer's.

#include <map>
#include <mutex>

#include "infer/generate/writer.h"

namespace rootstock {

class WaitingRoom {
public:
    explicit WaitingRoom(const WriterSettings& settings);

    // overloaded: the queue or the tenant's share of it is full. too_large: the prompt alone is above that share.
    Result<void> enter(const TenantId& tenant, std::size_t tokens);
    void leave(const TenantId& tenant, std::size_t tokens);

private:
    struct Count {
        std::size_t requests = 0, tokens = 0;
    };
    std::mutex mutex_;
    Count all_max_, tenant_max_, all_;
    std::map<TenantId, Count> tenants_;
};

}  // namespace rootstock
