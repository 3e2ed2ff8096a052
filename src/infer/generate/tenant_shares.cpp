#include "infer/generate/tenant_shares.h"

#include <algorithm>

namespace rootstock {

namespace {

constexpr std::size_t kLanesKept = 4096;  // of absent tenants, whose debts are remembered

}  // namespace

double TenantShares::floor() const {
    double least = -1;
    for (const auto& [tenant, lane] : lanes_)
        if (lane.present() && (least < 0 || lane.charged < least)) least = lane.charged;
    return std::max(0.0, least);
}

// Those who owe nothing; and everybody, once there are too many of them.
void TenantShares::forget_absent() {
    const double least = floor();
    std::erase_if(lanes_, [&](const auto& item) { return !item.second.present() && item.second.charged <= least; });
    if (lanes_.size() > kLanesKept) std::erase_if(lanes_, [](const auto& item) { return !item.second.present(); });
}

TenantShares::Lane& TenantShares::place(const TenantId& tenant) {
    const auto found = lanes_.find(tenant);
    ROOTSTOCK_CHECK(found != lanes_.end(), "a request's tenant has a lane");
    return found->second;
}

void TenantShares::wait(WriteJobPtr job) {
    const auto& tenant = job->request.tenant;
    if (!lanes_.contains(tenant)) forget_absent();
    const double least = floor();
    auto& lane = lanes_[tenant];
    if (!lane.present()) lane.charged = std::max(lane.charged, least);
    lane.tenant = tenant;
    lane.weight = std::max(1, job->request.weight);
    const auto later = [](const WriteJobPtr& a, const WriteJobPtr& b) { return a->ticket < b->ticket; };
    lane.waiting.insert(std::ranges::upper_bound(lane.waiting, job, later), std::move(job));
}

std::vector<TenantShares::Lane*> TenantShares::in_order() {
    std::vector<Lane*> lanes;
    for (auto& [tenant, lane] : lanes_)
        if (!lane.waiting.empty()) lanes.push_back(&lane);
    std::ranges::sort(lanes, [](const Lane* a, const Lane* b) {
        if (a->charged != b->charged) return a->charged < b->charged;
        return a->waiting.front()->ticket < b->waiting.front()->ticket;
    });
    return lanes;
}

WriteJobPtr TenantShares::take(Lane& lane) {
    auto job = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    lane.running += job->rows();
    return job;
}

void TenantShares::leave(const WriteJob& job) { place(job.request.tenant).running -= job.rows(); }

void TenantShares::charge(const WriteJob& job, std::size_t tokens) {
    auto& lane = place(job.request.tenant);
    lane.charged += static_cast<double>(tokens) / lane.weight;
}

const TenantShares::Lane& TenantShares::lane(const WriteJob& job) const {
    const auto found = lanes_.find(job.request.tenant);
    ROOTSTOCK_CHECK(found != lanes_.end(), "a request's tenant has a lane");
    return found->second;
}

double TenantShares::charged(const WriteJob& job) const { return lane(job).charged; }

std::size_t TenantShares::waiting() const {
    std::size_t count = 0;
    for (const auto& [tenant, lane] : lanes_) count += lane.waiting.size();
    return count;
}

std::size_t TenantShares::waiting_tokens() const {
    std::size_t count = 0;
    for (const auto& [tenant, lane] : lanes_)
        for (const auto& job : lane.waiting) count += job->request.prompt.size();
    return count;
}

}  // namespace rootstock
