#include "flow/writing/progress_marks.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <optional>

namespace rootstock {
namespace {

// A store whose commits the test ends, well or not.
class SlowStore final : public store::Database {
public:
    void write(Work, Done done) override { under_way.push_back(std::move(done)); }
    Result<void> probe() override { return {}; }
    void end(bool well) {
        auto done = std::move(under_way.front());
        under_way.pop_front();
        if (well) return done(Result<void>{});
        done(fail(ErrorCode::unavailable, "the disk is full"));
    }
    std::deque<Done> under_way;

protected:
    Result<void> write_and_wait(Work) override { return {}; }
    Result<void> read_with(const ReadWork&) override { return {}; }
};

class Marks : public ::testing::Test {
protected:
    // Asks for room for so many tokens; `answer_` comes when there is.
    void ask(std::int64_t tokens) {
        answer_.reset();
        auto asking = [this, tokens]() -> boost::asio::awaitable<void> {
            auto room = co_await marks_.room_for(tokens);
            answer_ = std::move(room);
        };
        boost::asio::co_spawn(io_, asking, [](std::exception_ptr) {});
        go_on();
    }
    void go_on() {
        io_.restart();
        io_.poll();
    }
    void end(bool well) {
        store_.end(well);
        go_on();
    }

    SlowStore store_;
    boost::asio::io_context io_;
    ProgressMarks marks_{store_, RequestId("req_1")};
    std::optional<Result<void>> answer_;
};

TEST_F(Marks, AreMadeEveryThirtyTwoTokens) {
    marks_.told(31);
    EXPECT_EQ(store_.under_way.size(), 0U);
    marks_.told(32);
    EXPECT_EQ(store_.under_way.size(), 1U);
    marks_.told(63);
    EXPECT_EQ(store_.under_way.size(), 1U);
}

TEST_F(Marks, ReadersAreNeverToldMoreThanSixtyFourBeyondTheDisk) {
    marks_.told(32);
    ask(64);
    EXPECT_TRUE(answer_ && *answer_) << "the disk is not waited for without need";
    marks_.told(64);
    ask(65);
    EXPECT_FALSE(answer_);
    end(true);  // 32 are on the disk
    EXPECT_TRUE(answer_ && *answer_);
    ask(96);
    EXPECT_TRUE(answer_ && *answer_);
    ask(97);
    EXPECT_FALSE(answer_);
    end(true);
    EXPECT_TRUE(answer_ && *answer_);
}

TEST_F(Marks, OnePieceOfManyTokensWaitsForAllBeforeIt) {
    marks_.told(10);
    ask(500);
    EXPECT_FALSE(answer_);
    ASSERT_EQ(store_.under_way.size(), 1U);
    end(true);
    EXPECT_TRUE(answer_ && *answer_);
}

TEST_F(Marks, WithoutADiskNothingMoreIsTold) {
    marks_.told(32);
    marks_.told(64);
    ask(90);
    EXPECT_FALSE(answer_);
    end(false);
    EXPECT_FALSE(answer_) << "another mark is under way, which would do";
    end(false);
    ASSERT_TRUE(answer_);
    EXPECT_EQ(answer_->error().code, ErrorCode::unavailable);
    ask(90);  // tries once more
    ASSERT_EQ(store_.under_way.size(), 1U);
    end(true);
    EXPECT_TRUE(answer_ && *answer_);
}

}  // namespace
}  // namespace rootstock
