#include "infer/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "infer/tiny_test_model.h"

namespace rootstock {
namespace {

std::future<Result<InferAnswer>> ask(Scheduler& scheduler, InferRequest request, InferTicket* ticket = nullptr) {
    auto promise = std::make_shared<std::promise<Result<InferAnswer>>>();
    auto future = promise->get_future();
    auto given = scheduler.submit(std::move(request),
                                  [promise](Result<InferAnswer> answer) { promise->set_value(std::move(answer)); });
    if (ticket) *ticket = given;
    return future;
}

InferRequest request_of(std::vector<std::vector<std::int32_t>> rows,
                        std::shared_ptr<const NativeAdapter> adapter = {}) {
    InferRequest request;
    request.tenant = TenantId("t");
    request.kind = adapter ? InferKind::logits : InferKind::embedding;
    request.adapter = std::move(adapter);
    request.rows = std::move(rows);
    return request;
}

std::shared_ptr<const NativeAdapter> native(std::uint64_t seed) {
    return tiny::must(NativeAdapter::load(*tiny::base().model, tiny::adapter(seed)));
}

TEST(Scheduler, AnswersRowsInTheirOrder) {
    Scheduler scheduler(tiny::base().model);
    auto adapter = native(1);
    std::vector<std::vector<std::int32_t>> rows;
    for (const char* text : {"where is my card?", "help", "my phone is lost and i have no money"})
        rows.push_back(tiny::tokens(text));
    auto answer = ask(scheduler, request_of(rows, adapter)).get();
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->rows.size(), 3u);
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        auto alone = tiny::logits(*adapter, rows[i]);
        for (std::size_t c = 0; c < alone.size(); ++c) EXPECT_NEAR(answer->rows[i][c], alone[c], 1e-4);
        tokens += rows[i].size();
    }
    EXPECT_EQ(answer->tokens, static_cast<std::int64_t>(tokens));
    EXPECT_GE(answer->compute_micros, 0);
}

// Callers of many adapters and of the base, at the same time: everybody gets his own, and the time parts add up.
TEST(Scheduler, MixesManyCallersAndLosesNone) {
    std::atomic<std::int64_t> batch_micros = 0, answer_micros = 0, wrong = 0, answered = 0;
    {
        SchedulerSettings settings;
        settings.batch_tokens_max = 64;
        settings.on_batch = [&](const BatchFacts& facts) {
            batch_micros += facts.micros;
            if (facts.tokens > 64) ++wrong;
        };
        Scheduler scheduler(tiny::base().model, settings);
        std::vector<std::thread> callers;
        for (std::uint64_t c = 0; c < 6; ++c)
            callers.emplace_back([&, c] {
                auto adapter = c < 5 ? native(c) : nullptr;
                auto ids = tiny::tokens("card " + std::string(c, 'x'));
                auto wanted = adapter ? tiny::logits(*adapter, ids) : std::vector<float>{};
                for (int round = 0; round < 100; ++round) {
                    auto request = request_of({ids, ids, ids}, adapter);
                    request.tenant = TenantId("t" + std::to_string(c % 4));
                    auto answer = ask(scheduler, std::move(request)).get();
                    if (!answer || answer->rows.size() != 3) {
                        ++wrong;
                        continue;
                    }
                    for (std::size_t k = 0; k < wanted.size(); ++k)
                        if (std::abs(answer->rows[2][k] - wanted[k]) > 1e-4f) ++wrong;
                    answer_micros += answer->compute_micros;
                    ++answered;
                }
            });
        for (auto& caller : callers) caller.join();
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(answered, 600);
    EXPECT_EQ(batch_micros, answer_micros);
}

TEST(Scheduler, RefusesWhatWouldSpoilABatch) {
    Scheduler scheduler(tiny::base().model);
    auto code = [&](InferRequest request) { return ask(scheduler, std::move(request)).get().error().code; };
    EXPECT_EQ(code(request_of({})), ErrorCode::invalid_argument);
    EXPECT_EQ(code(request_of({{}})), ErrorCode::invalid_argument);
    EXPECT_EQ(code(request_of({{2, -1, 3}})), ErrorCode::invalid_argument);
    EXPECT_EQ(code(request_of({{2, tiny::model().spec.vocabulary}})), ErrorCode::invalid_argument);
    EXPECT_EQ(code(request_of({std::vector<std::int32_t>(65, 2)})), ErrorCode::too_long);
    auto headless = request_of({{2, 3}});
    headless.kind = InferKind::logits;
    EXPECT_EQ(code(std::move(headless)), ErrorCode::invalid_argument);
}

// The inference thread is kept busy by one large request; what is asked of the ones behind it is told in time.
TEST(Scheduler, KeepsDeadlinesCancelsAndDrains) {
    std::future<Result<InferAnswer>> large, late, cancelled, last;
    {
        SchedulerSettings settings;
        settings.batch_tokens_max = 40;
        settings.queue.tenant_share_max = 1;
        settings.on_batch = [](const BatchFacts&) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
        Scheduler scheduler(tiny::base().model, settings);
        large =
            ask(scheduler, request_of(std::vector<std::vector<std::int32_t>>(100, std::vector<std::int32_t>(40, 7))));
        auto hurried = request_of({{2, 3}});
        hurried.deadline = monotonic_seconds() - 1;
        late = ask(scheduler, std::move(hurried));
        InferTicket ticket = 0;
        cancelled = ask(scheduler, request_of({{2, 3}}), &ticket);
        scheduler.cancel(ticket);
        scheduler.cancel(ticket);  // again: nothing happens
        last = ask(scheduler, request_of({{2, 3}}));
        EXPECT_EQ(cancelled.get().error().code, ErrorCode::cancelled);
        EXPECT_EQ(late.get().error().reason, "queue_timeout");
    }  // ends only when all is answered
    EXPECT_TRUE(large.get());
    EXPECT_TRUE(last.get());
}

}  // namespace
}  // namespace rootstock
