#pragma once
// Durable marks of how far an answer has come, so that a crash is settled by what was written: never more, and at most
// 64 tokens less. A mark takes its place in the store's next group commit.

#include <cstdint>

#include "base/base.h"
#include "store/store.h"

namespace rootstock {

class ProgressMarks {
public:
    ProgressMarks(store::Database& records, RequestId request)
        : records_(records), request_(std::move(request)), marked_at_(monotonic_seconds()) {}

    // One token more. From one thread at a time; does not wait.
    void count();

private:
    // A mark is durable some milliseconds after it was made; until then about as many tokens again may come.
    static constexpr std::int64_t tokens_between = 32;
    static constexpr double seconds_between = 0.25;

    store::Database& records_;
    RequestId request_;
    std::int64_t tokens_ = 0, marked_ = 0;
    double marked_at_;
};

}  // namespace rootstock
