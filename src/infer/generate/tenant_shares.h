#pragma once
// Who comes next: a counter of tokens for each tenant, divided by its weight (virtual token counter; Sheng et al.,
// "Fairness in Serving Large Language Models", 2024). The tenant that was charged least comes first. One that was away
// starts again at the least of those present: nobody saves up a claim on the machine while idle, and nobody loses a
// debt by leaving. No threads here.

#include <deque>
#include <map>
#include <vector>

#include "infer/generate/write_job.h"

namespace rootstock {

class TenantShares {
public:
    struct Lane {
        TenantId tenant;
        int weight = 1;
        double charged = 0;               // tokens / weight
        std::deque<WriteJobPtr> waiting;  // in order of arrival
        std::size_t running = 0;          // texts
        bool present() const { return running > 0 || !waiting.empty(); }
        double load() const { return static_cast<double>(running) / weight; }
        double load_with(std::size_t more) const { return static_cast<double>(running + more) / weight; }
        double load_without(std::size_t some) const { return static_cast<double>(running - some) / weight; }
    };

    void wait(WriteJobPtr job);
    std::vector<Lane*> in_order();  // those with waiting requests, who was charged least first
    WriteJobPtr take(Lane& lane);   // its first request, which runs from now on

    void leave(const WriteJob& job);  // runs no longer
    void charge(const WriteJob& job, std::size_t tokens);
    double charged(const WriteJob& job) const;
    const Lane& lane(const WriteJob& job) const;

    // Waiting requests for which `wanted` holds, taken out.
    template <typename Wanted>
    std::vector<WriteJobPtr> remove(const Wanted& wanted) {
        std::vector<WriteJobPtr> out;
        for (auto& [tenant, lane] : lanes_)
            std::erase_if(lane.waiting, [&](WriteJobPtr& job) {
                if (!wanted(*job)) return false;
                out.push_back(std::move(job));
                return true;
            });
        return out;
    }

    std::size_t waiting() const;
    std::size_t waiting_tokens() const;

private:
    Lane& place(const TenantId& tenant);
    double floor() const;  // the least charge of those present
    void forget_absent();

    std::map<TenantId, Lane> lanes_;
};

}  // namespace rootstock
