#pragma once
// Between the inference thread, which must not wait, and the coroutine that sends what it writes. It holds what one
// request may write at most, so it needs no bound of its own.

#include <memory>
#include <mutex>
#include <vector>

#include "flow/await.h"
#include "flow/generate.h"

namespace rootstock {

class Mailbox {
public:
    // The letters since the last call.
    struct Post {
        std::vector<WrittenPiece> pieces;
        std::int64_t tokens = 0;                   // written so far, of all texts
        std::vector<Result<WriteAnswer>> answers;  // when every prompt's writing has ended: one per prompt
    };

    explicit Mailbox(std::size_t prompts) : open_(prompts), answers_(prompts) {}

    void put(WrittenPiece piece);  // counts a token
    void end(std::size_t prompt, Result<WriteAnswer> answer, std::vector<WrittenPiece> rest);

    // Why a prompt was not taken at all.
    Error refusal(std::size_t prompt);

    // Waits until there is something. One caller at a time, on the coroutine's thread.
    boost::asio::awaitable<Post> next();

private:
    bool empty() const { return pieces_.empty() && tokens_ == told_ && open_ > 0; }
    void ring(std::unique_lock<std::mutex> lock);  // wakes who waits

    std::mutex mutex_;
    std::vector<WrittenPiece> pieces_;
    std::int64_t tokens_ = 0, told_ = 0;
    std::size_t open_;
    std::vector<Result<WriteAnswer>> answers_;
    std::move_only_function<void(bool)> waiter_;
};

}  // namespace rootstock
