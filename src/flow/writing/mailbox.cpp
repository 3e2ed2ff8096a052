#include "flow/writing/mailbox.h"

#include <iterator>
#include <utility>

namespace rootstock {

void Mailbox::put(WrittenPiece piece) {
    std::unique_lock lock(mutex_);
    piece.written = ++tokens_;
    if (!piece.words.empty() || !piece.tokens.empty()) pieces_.push_back(std::move(piece));
    ring(std::move(lock));
}

void Mailbox::end(std::size_t prompt, Result<WriteAnswer> answer, std::vector<WrittenPiece> rest) {
    std::unique_lock lock(mutex_);
    answers_[prompt] = std::move(answer);
    for (auto& piece : rest) {
        piece.written = tokens_;
        if (!piece.words.empty()) pieces_.push_back(std::move(piece));
    }
    --open_;
    ring(std::move(lock));
}

Error Mailbox::refusal(std::size_t prompt) {
    const std::lock_guard lock(mutex_);
    return answers_[prompt].error();
}

// The waiter is called without the lock: it may take it at once.
void Mailbox::ring(std::unique_lock<std::mutex> lock) {
    auto waiter = std::exchange(waiter_, nullptr);
    lock.unlock();
    if (waiter) waiter(true);
}

boost::asio::awaitable<Mailbox::Post> Mailbox::next() {
    auto start = [this](auto done) {
        std::unique_lock lock(mutex_);
        if (empty()) {
            waiter_ = std::move(done);
            return;
        }
        lock.unlock();
        done(true);
    };
    co_await await_done<bool>(std::move(start));
    const std::lock_guard lock(mutex_);
    Post post{std::exchange(pieces_, {}), tokens_, {}};
    told_ = tokens_;
    if (open_ == 0) post.answers = std::move(answers_);
    co_return post;
}

}  // namespace rootstock
