// Bodies made while they are sent, and callers that leave before the end.

#include "http/message/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "http/server/server.h"
#include "http/server/test_wire.h"

namespace rootstock::http {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class StreamTest : public testing::Test {
protected:
    StreamTest() {
        ServerLimits limits;
        limits.write_stall_max = milliseconds(300);
        limits.look_every = milliseconds(20);
        auto page = [](const Refusal& refusal) {
            Response response;
            response.status = refusal.status;
            return response;
        };
        server_ = std::make_unique<Server>(
            io_, limits, [this](Request& request) { return answer(request); }, page);
        EXPECT_TRUE(server_->listen("127.0.0.1:0"));
        thread_ = std::thread([this] { io_.run(); });
    }
    ~StreamTest() override {
        asio::post(io_, [this] { io_.stop(); });
        thread_.join();
    }

    // "/three" is "one", "two", "three"; "/endless" writes 64 KiB pieces until nobody reads; "/break" fails behind its
    // first piece; "/wait" answers when the caller has left, or after 2 s.
    asio::awaitable<Response> answer(Request& request) {
        Response response;
        response.content_type = "text/plain";
        if (request.path == "/three") response.stream = [](BodySink& sink) { return three(sink); };
        if (request.path == "/endless") response.stream = [this](BodySink& sink) { return endless(sink); };
        if (request.path == "/break") response.stream = [](BodySink& sink) { return breaks(sink); };
        if (request.path == "/wait") co_await wait(*request.caller);
        co_return response;
    }

    static asio::awaitable<void> three(BodySink& sink) {
        for (const char* word : {"one", "", "two", "three"}) EXPECT_TRUE(co_await sink.write(word));
    }

    asio::awaitable<void> endless(BodySink& sink) {
        for (bool read = true; read; ++pieces_) read = co_await sink.write(std::string(65'536, 'x'));
        ended_ = true;
    }

    static asio::awaitable<void> breaks(BodySink& sink) {
        co_await sink.write("one");
        throw std::runtime_error("on purpose");
    }

    asio::awaitable<void> wait(Presence& caller) {
        asio::steady_timer timer(io_, std::chrono::seconds(2));
        WhenGone gone(caller, [&] { timer.cancel(); });
        boost::system::error_code code;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
        left_ = caller.gone();
        ended_ = true;
    }

    bool ended_within(milliseconds most) {
        for (const auto end = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < end;) {
            if (ended_) return true;
            std::this_thread::sleep_for(milliseconds(5));
        }
        return ended_;
    }

    asio::io_context io_{1};
    std::unique_ptr<Server> server_;
    std::thread thread_;
    std::atomic<int> pieces_ = 0;
    std::atomic<bool> ended_ = false, left_ = false;
};

TEST_F(StreamTest, EachPieceIsAChunkAndTheConnectionGoesOn) {
    Wire wire(server_->address());
    for (int round = 0; round < 2; ++round) {
        ASSERT_TRUE(wire.send("GET /three HTTP/1.1\r\nHost: a\r\n\r\n"));
        const auto answer = wire.read_until("0\r\n\r\n");
        EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
        EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
        EXPECT_TRUE(answer.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")) << answer;
    }
}

TEST_F(StreamTest, AnOldClientReadsUntilTheEndOfTheConnection) {
    Wire wire(server_->address());
    ASSERT_TRUE(wire.send("GET /three HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"));
    const auto answer = wire.read_all();
    EXPECT_EQ(answer.find("chunked"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\nonetwothree")) << answer;
}

TEST_F(StreamTest, HeadGetsTheHeadAlone) {
    Wire wire(server_->address());
    ASSERT_TRUE(wire.send("HEAD /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(wire.read_all().ends_with("\r\n\r\n"));
}

TEST_F(StreamTest, AFaultBreaksOffWithoutALastChunk) {
    Wire wire(server_->address());
    ASSERT_TRUE(wire.send("GET /break HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_TRUE(wire.read_all().ends_with("3\r\none\r\n"));
}

TEST_F(StreamTest, ASlowReaderSlowsTheProducerAndAStalledOneEndsIt) {
    Wire wire(server_->address());
    wire.set_receive_buffer(4096);
    ASSERT_TRUE(wire.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_TRUE(ended_within(milliseconds(3000)));
    EXPECT_LT(pieces_, 200);  // what the system buffers, not what the producer could make
}

TEST_F(StreamTest, AProducerHearsThatTheReaderLeft) {
    auto wire = std::make_unique<Wire>(server_->address());
    ASSERT_TRUE(wire->send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"));
    wire->read_until("xxxx");
    wire.reset();
    EXPECT_TRUE(ended_within(milliseconds(1000)));
}

TEST_F(StreamTest, AHandlerHearsThatItsCallerLeft) {
    auto wire = std::make_unique<Wire>(server_->address());
    ASSERT_TRUE(wire->send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /three HTTP/1.1\r\nHost: a\r\n\r\n"));
    std::this_thread::sleep_for(milliseconds(100));
    EXPECT_FALSE(ended_);  // it waits, with a further request behind it
    wire.reset();
    EXPECT_TRUE(ended_within(milliseconds(1000)));
    EXPECT_TRUE(left_);
}

TEST_F(StreamTest, ClosingTheSendingSideIsLeaving) {
    Wire wire(server_->address());
    ASSERT_TRUE(wire.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    wire.shut_sending();
    EXPECT_TRUE(ended_within(milliseconds(1000)));
    EXPECT_TRUE(wire.read_all().starts_with("HTTP/1.1 200 OK"));  // who still reads gets what there is
}

TEST(ServerSentEvent, ALineOfDataIsAField) {
    EXPECT_EQ(server_sent_event("{\"a\":1}"), "data: {\"a\":1}\n\n");
    EXPECT_EQ(server_sent_event("a\nb"), "data: a\ndata: b\n\n");
    EXPECT_EQ(server_sent_event(""), "data: \n\n");
}

}  // namespace
}  // namespace rootstock::http
