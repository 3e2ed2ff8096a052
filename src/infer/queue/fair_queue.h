#pragma once
// The queue: bounded in rows and tokens, and fair between tenants by deficit round robin (Shreedhar and Varghese,
// 1995). Every tenant with work has a lane; a lane's turn adds weight x quantum tokens to its credit, and it gives
// rows while its credit pays for them. A tenant with a thousand rows waiting delays a newcomer by one batch, not by
// a thousand rows. The quantum is small against a batch, so that one batch holds several turns of everybody: whoever
// asks for more than its share gets only what the others left. No threads here: the scheduler holds the lock.

#include <deque>
#include <list>
#include <map>
#include <span>
#include <vector>

#include "infer/queue/request.h"

namespace rootstock {

// A request on its way through the queue. Its rows may leave in several batches.
struct InferJob {
    InferTicket ticket = 0;
    InferRequest request;
    InferDone done;
    InferAnswer answer;
    std::size_t rows_taken = 0;     // rows that have left the queue
    std::size_t rows_finished = 0;  // rows whose result is in the answer
};
using InferJobPtr = std::shared_ptr<InferJob>;

// One row of one request: its place is carried through the batch, so that its result finds its way back.
struct InferRow {
    InferJobPtr job;
    std::size_t row = 0;
    std::span<const std::int32_t> ids() const { return job->request.rows[row]; }
    std::span<const std::int32_t> types() const {
        return job->request.types.empty() ? std::span<const std::int32_t>{} : job->request.types[row];
    }
};

struct QueueLimits {
    std::size_t rows_max = 8192;      // rows waiting, of all tenants
    std::size_t tokens_max = 524288;  // tokens waiting, of all tenants
    double tenant_share_max = 0.5;    // of either, for one tenant: nobody fills the queue alone
    std::size_t quantum_tokens = 64;  // credit of one turn
};

class FairQueue {
public:
    explicit FairQueue(QueueLimits limits) : limits_(limits) {}

    // Nothing is kept when it fails. overloaded: the queue is full (the machine's excess); rate_limited: the tenant's
    // share of it is (its own excess); too_large: the request could never fit in that share.
    Result<void> push(InferJobPtr job);

    // The next batch: rows of one kind (and of one table model), at most `tokens_max` tokens and `rows_max` rows (a
    // single longer row goes alone), taken fairly. Jobs whose deadline has passed before all their rows left are moved
    // to `expired`.
    std::vector<InferRow> take(std::size_t tokens_max, std::size_t rows_max, double now,
                               std::vector<InferJobPtr>& expired);

    // The job with that ticket if rows of it still wait; they wait no longer.
    InferJobPtr remove(InferTicket ticket);

    // All that still waits, in any order; the queue is empty then.
    std::vector<InferJobPtr> clear();

    bool empty() const { return rows_ == 0; }
    std::size_t rows() const { return rows_; }
    std::size_t tokens() const { return tokens_; }

private:
    using Run = std::pair<InferKind, const TableModel*>;  // see InferRequest::run
    struct Lane {
        TenantId tenant;
        std::deque<InferJobPtr> jobs = {};
        std::int64_t credit = 0;
        bool in_turn = false;
        std::size_t rows = 0, tokens = 0;
        Run next_run() const { return jobs.front()->request.run(); }
    };
    struct Batch {
        std::size_t tokens_max, rows_max, tokens;
        std::vector<InferRow> rows;
    };
    using Lanes = std::list<Lane>;  // in order of turn

    Result<void> room_for(const InferJob& job, const Lane* lane) const;
    void drop_expired(double now, std::vector<InferJobPtr>& expired);
    void forget(Lane& lane, const InferJob& job);
    bool serve(Lane& lane, const Run& run, Batch& batch);
    void take_row(Lane& lane, std::vector<InferRow>& batch);
    void end_turn(Lanes::iterator lane);

    QueueLimits limits_;
    Lanes lanes_;
    std::map<TenantId, Lanes::iterator> by_tenant_;
    std::size_t rows_ = 0, tokens_ = 0;
    double next_deadline_ = kNever;  // no job's deadline is nearer
    static constexpr double kNever = 1e300;
};

}  // namespace rootstock
