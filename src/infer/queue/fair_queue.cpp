#include "infer/queue/fair_queue.h"

#include <algorithm>
#include <utility>

namespace rootstock {
namespace {

std::size_t tokens_from(const InferJob& job, std::size_t first_row) {
    std::size_t tokens = 0;
    for (std::size_t row = first_row; row < job.request.count(); ++row) tokens += job.request.length(row);
    return tokens;
}

std::size_t rows_waiting(const InferJob& job) { return job.request.count() - job.rows_taken; }

}  // namespace

Result<void> FairQueue::room_for(const InferJob& job, const Lane* lane) const {
    std::size_t rows = rows_waiting(job), tokens = tokens_from(job, 0);
    auto lane_rows_max = static_cast<std::size_t>(static_cast<double>(limits_.rows_max) * limits_.tenant_share_max);
    auto lane_tokens_max = static_cast<std::size_t>(static_cast<double>(limits_.tokens_max) * limits_.tenant_share_max);
    if (rows > lane_rows_max || tokens > lane_tokens_max)
        return fail(ErrorCode::too_large, "one request may bring at most " + std::to_string(lane_rows_max) +
                                              " inputs and " + std::to_string(lane_tokens_max) +
                                              " tokens; send it in parts");
    if (rows_ + rows > limits_.rows_max || tokens_ + tokens > limits_.tokens_max)
        return fail(ErrorCode::overloaded, "the queue is full; come back in a moment", {}, "queue_full");
    if (lane && (lane->rows + rows > lane_rows_max || lane->tokens + tokens > lane_tokens_max))
        return fail(ErrorCode::rate_limited, "too many of your requests wait already; come back in a moment", {},
                    "tenant_queue_full");
    return {};
}

Result<void> FairQueue::push(InferJobPtr job) {
    auto found = by_tenant_.find(job->request.tenant);
    ROOTSTOCK_CHECKED(room_for(*job, found == by_tenant_.end() ? nullptr : &*found->second));
    if (found == by_tenant_.end()) {
        auto lane = lanes_.insert(lanes_.end(), Lane{job->request.tenant});
        found = by_tenant_.emplace(job->request.tenant, lane).first;
    }
    Lane& lane = *found->second;
    std::size_t rows = rows_waiting(*job), tokens = tokens_from(*job, 0);
    lane.rows += rows, lane.tokens += tokens;
    rows_ += rows, tokens_ += tokens;
    if (job->request.deadline > 0) next_deadline_ = std::min(next_deadline_, job->request.deadline);
    lane.jobs.push_back(std::move(job));
    return {};
}

std::vector<InferRow> FairQueue::take(std::size_t tokens_max, std::size_t rows_max, double now,
                                      std::vector<InferJobPtr>& expired) {
    drop_expired(now, expired);
    Batch batch{tokens_max, rows_max, 0, {}};
    if (lanes_.empty()) return {};
    // Lanes whose next row is of another kind keep their place in front: they choose the kind of the next batch.
    const auto run = lanes_.front().next_run();
    auto fits = [&](const Lane& lane) { return lane.next_run() == run; };
    for (;;) {
        auto lane = std::find_if(lanes_.begin(), lanes_.end(), fits);
        if (lane == lanes_.end()) break;
        if (!std::exchange(lane->in_turn, true))
            lane->credit += static_cast<std::int64_t>(limits_.quantum_tokens) * lane->jobs.front()->request.weight;
        if (!serve(*lane, run, batch)) break;  // full: the lane's turn goes on in the next batch
        end_turn(lane);
    }
    return std::move(batch.rows);
}

// Gives rows while the credit pays for them. False when the next one finds no room in the batch.
bool FairQueue::serve(Lane& lane, const Run& run, Batch& batch) {
    while (!lane.jobs.empty() && lane.next_run() == run) {
        const auto& job = *lane.jobs.front();
        std::size_t length = job.request.length(job.rows_taken);
        if (static_cast<std::int64_t>(length) > lane.credit) return true;
        bool fits = batch.tokens + length <= batch.tokens_max && batch.rows.size() < batch.rows_max;
        if (!fits && !batch.rows.empty()) return false;
        batch.tokens += length;
        take_row(lane, batch.rows);
    }
    return true;
}

void FairQueue::take_row(Lane& lane, std::vector<InferRow>& batch) {
    InferJobPtr job = lane.jobs.front();
    std::size_t row = job->rows_taken++, length = job->request.length(row);
    lane.credit -= static_cast<std::int64_t>(length);
    --lane.rows, lane.tokens -= length;
    --rows_, tokens_ -= length;
    if (rows_waiting(*job) == 0) lane.jobs.pop_front();
    batch.push_back({std::move(job), row});
}

// An empty lane goes, and with it its credit: nobody saves up a claim on the machine while idle.
void FairQueue::end_turn(Lanes::iterator lane) {
    if (lane->jobs.empty()) {
        by_tenant_.erase(lane->tenant);
        lanes_.erase(lane);
    } else {
        lane->in_turn = false;
        lanes_.splice(lanes_.end(), lanes_, lane);
    }
}

void FairQueue::forget(Lane& lane, const InferJob& job) {
    std::size_t tokens = tokens_from(job, job.rows_taken), rows = rows_waiting(job);
    lane.rows -= rows, lane.tokens -= tokens;
    rows_ -= rows, tokens_ -= tokens;
}

// Looks at every job only when one may be late, and learns the next such moment.
void FairQueue::drop_expired(double now, std::vector<InferJobPtr>& expired) {
    if (now <= next_deadline_) return;
    next_deadline_ = kNever;
    for (auto lane = lanes_.begin(), next = lane; lane != lanes_.end(); lane = next) {
        ++next;
        std::erase_if(lane->jobs, [&](const InferJobPtr& job) {
            bool late = job->request.deadline > 0 && job->request.deadline < now;
            if (late)
                forget(*lane, *job), expired.push_back(job);
            else if (job->request.deadline > 0)
                next_deadline_ = std::min(next_deadline_, job->request.deadline);
            return late;
        });
        if (lane->jobs.empty()) end_turn(lane);
    }
}

InferJobPtr FairQueue::remove(InferTicket ticket) {
    for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
        auto found = std::find_if(lane->jobs.begin(), lane->jobs.end(),
                                  [&](const InferJobPtr& job) { return job->ticket == ticket; });
        if (found == lane->jobs.end()) continue;
        InferJobPtr job = *found;
        forget(*lane, *job);
        lane->jobs.erase(found);
        if (lane->jobs.empty()) end_turn(lane);
        return job;
    }
    return nullptr;
}

std::vector<InferJobPtr> FairQueue::clear() {
    std::vector<InferJobPtr> jobs;
    for (auto& lane : lanes_) jobs.insert(jobs.end(), lane.jobs.begin(), lane.jobs.end());
    lanes_.clear();
    by_tenant_.clear();
    rows_ = tokens_ = 0;
    return jobs;
}

}  // namespace rootstock
