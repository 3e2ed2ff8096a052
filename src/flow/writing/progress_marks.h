#pragma once
// Durable marks of how much of an answer its reader was told, so that a crash is settled by that: never more, and at
// most 64 tokens less. A mark takes its place in the store's next group commit, for which nobody waits, unless 64
// tokens have been told beyond the last durable one: then the next ones wait for the disk.
//
// An answer that is told in one piece at its end has no marks: its reader has nothing of it when the process dies.

#include <cstdint>
#include <memory>

#include "base/base.h"
#include "flow/await.h"
#include "store/store.h"

namespace rootstock {

class ProgressMarks {
public:
    // Of so many tokens at once may be told without a wait; more are told in several pieces.
    static constexpr std::int64_t tokens_between = 32;

    ProgressMarks(store::Database& records, RequestId request);

    // The reader was told `tokens` of the request in all. Does not wait.
    void told(std::int64_t tokens);
    std::int64_t told() const { return told_; }

    // Returns when so many in all may be told. Error: the records cannot be written, so nothing more may be.
    boost::asio::awaitable<Result<void>> room_for(std::int64_t tokens);

private:
    static constexpr std::int64_t tokens_unmarked_max = 64;
    static constexpr double seconds_between = 0.25;

    struct Kept;  // shared with the writer thread
    void mark();

    store::Database& records_;
    const RequestId request_;
    std::int64_t told_ = 0, marked_ = 0;
    double marked_at_ = monotonic_seconds();
    std::shared_ptr<Kept> kept_;
};

}  // namespace rootstock
