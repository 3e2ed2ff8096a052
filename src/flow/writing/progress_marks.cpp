#include "flow/writing/progress_marks.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "ledger/ledger.h"

namespace rootstock {

// What of the marks is on the disk, and who waits for it.
struct ProgressMarks::Kept {
    std::mutex mutex;
    std::int64_t tokens = 0, wanted = 0;
    int under_way = 0;
    std::move_only_function<void(Result<void>)> waiter;

    void end(std::int64_t mark, Result<void> outcome) {
        std::unique_lock lock(mutex);
        --under_way;
        if (outcome) tokens = std::max(tokens, mark);
        if (!waiter || (tokens < wanted && under_way > 0)) return;
        auto waiting = std::exchange(waiter, nullptr);
        lock.unlock();  // it may take it at once
        waiting(std::move(outcome));
    }
};

ProgressMarks::ProgressMarks(store::Database& records, RequestId request)
    : records_(records), request_(std::move(request)), kept_(std::make_shared<Kept>()) {}

void ProgressMarks::told(std::int64_t tokens) {
    told_ = tokens;
    const bool many = told_ - marked_ >= tokens_between, long_ago = monotonic_seconds() - marked_at_ >= seconds_between;
    if (told_ > marked_ && (many || long_ago)) mark();
}

void ProgressMarks::mark() {
    marked_ = told_;
    marked_at_ = monotonic_seconds();
    {
        const std::lock_guard lock(kept_->mutex);
        ++kept_->under_way;
    }
    auto work = [request = request_, tokens = told_](store::Session& session) -> Result<void> {
        ledger::mark_progress(session, request, tokens);
        return {};
    };
    records_.write(std::move(work), [request = request_, tokens = told_, kept = kept_](Result<void> marked) {
        if (!marked) spdlog::warn("{}: no mark of its progress: {}", request.text(), marked.error().message);
        kept->end(tokens, std::move(marked));
    });
}

boost::asio::awaitable<Result<void>> ProgressMarks::room_for(std::int64_t tokens) {
    // One piece may hold more tokens than any room; then all before it must be marked.
    const auto wanted = std::min(tokens - tokens_unmarked_max, told_);
    auto start = [this, wanted](auto done) {
        std::unique_lock lock(kept_->mutex);
        if (kept_->tokens >= wanted) {
            lock.unlock();
            return done(Result<void>{});
        }
        kept_->wanted = wanted;
        kept_->waiter = std::move(done);
        const bool none_comes = kept_->under_way == 0 || marked_ < wanted;
        lock.unlock();
        if (none_comes) mark();
    };
    co_return co_await await_done<Result<void>>(std::move(start));
}

}  // namespace rootstock
