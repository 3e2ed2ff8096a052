#pragma once
// Waiting without blocking: turns "call me when done" of the store and the inference thread into awaitables. The
// coroutine resumes on its own executor, whichever thread is done first.

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace rootstock {

// `start` is called with a `done` that must be called once, with a T, from any thread.
template <typename T, typename Start>
boost::asio::awaitable<T> await_done(Start start) {
    auto executor = co_await boost::asio::this_coro::executor;
    auto initiate = [executor](auto handler, Start begin) {
        auto done = [work = boost::asio::make_work_guard(executor), handler = std::move(handler)](T value) mutable {
            auto resume = [handler = std::move(handler), value = std::move(value)]() mutable {
                std::move(handler)(std::move(value));
            };
            boost::asio::post(work.get_executor(), std::move(resume));
        };
        begin(std::move(done));
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(T)>(
        std::move(initiate), boost::asio::use_awaitable, std::move(start));
}

// Runs `work` on the pool: for what would hold up the I/O thread.
template <typename Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> run_on(boost::asio::thread_pool& pool, Work work) {
    using T = std::invoke_result_t<Work&>;
    auto start = [&pool, work = std::move(work)](auto done) mutable {
        boost::asio::post(pool, [work = std::move(work), done = std::move(done)]() mutable { done(work()); });
    };
    co_return co_await await_done<T>(std::move(start));
}

}  // namespace rootstock
