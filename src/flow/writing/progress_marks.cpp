#include "flow/writing/progress_marks.h"

#include "ledger/ledger.h"

namespace rootstock {

void ProgressMarks::count() {
    ++tokens_;
    const double now = monotonic_seconds();
    if (tokens_ - marked_ < tokens_between && now - marked_at_ < seconds_between) return;
    marked_ = tokens_;
    marked_at_ = now;
    auto work = [request = request_, tokens = tokens_](store::Session& session) -> Result<void> {
        ledger::mark_progress(session, request, tokens);
        return {};
    };
    records_.write(std::move(work), [request = request_](Result<void> marked) {
        if (!marked) spdlog::warn("{}: no mark of its progress: {}", request.text(), marked.error().message);
    });
}

}  // namespace rootstock
