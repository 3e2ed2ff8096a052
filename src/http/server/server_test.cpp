// The server from outside: raw bytes in, raw bytes out, over the loopback.

#include "http/server/server.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <thread>

#include "http/server/test_wire.h"

namespace rootstock::http {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

ServerLimits quick_limits() {
    ServerLimits limits;
    limits.body_bytes_max = 10'000;
    limits.head_time_max = milliseconds(300);
    limits.idle_time_max = milliseconds(600);
    limits.body_time_grace = milliseconds(300);
    limits.body_bytes_per_second_min = 1000;
    limits.linger_time_max = milliseconds(100);
    limits.write_stall_max = milliseconds(300);
    return limits;
}

class ServerTest : public testing::Test {
protected:
    void start(ServerLimits limits = quick_limits(), PlanBody plan = {}) {
        auto handler = [this](Request& request) { return answer(request); };
        auto page = [](const Refusal& refusal) {
            Response response;
            response.status = refusal.status;
            response.body = refusal.sentence;
            return response;
        };
        server_ = std::make_unique<Server>(io_, limits, handler, page);
        server_->plan_bodies(std::move(plan));
        ASSERT_TRUE(server_->listen("127.0.0.1:0"));
        thread_ = std::thread([this] { io_.run(); });
    }

    // "/echo" gives the body back, "/file" the body that went to a file, "/slow" takes 200 ms, "/throw" fails, "/big"
    // answers 40 MB, else the path.
    asio::awaitable<Response> answer(Request& request) {
        seen_.push_back(request.method + " " + request.path);
        Response response;
        response.content_type = "text/plain";
        response.body = request.path == "/echo" ? request.body : request.path;
        if (request.path == "/file") response.body.clear(), response.body_file = request.body_file;
        if (request.path == "/throw") throw std::runtime_error("on purpose");
        if (request.path == "/big") response.body.assign(40'000'000, 'x');
        if (request.path == "/slow") {
            asio::steady_timer timer(io_, milliseconds(200));
            co_await timer.async_wait(asio::use_awaitable);
        }
        co_return response;
    }

    void TearDown() override {
        asio::post(io_, [this] { io_.stop(); });
        if (thread_.joinable()) thread_.join();
    }

    std::string talk(const std::string& bytes) {
        Wire wire(server_->address());
        wire.send(bytes);
        return wire.read_all();
    }

    asio::io_context io_{1};
    std::unique_ptr<Server> server_;
    std::thread thread_;
    std::vector<std::string> seen_;
};

std::string post(const std::string& headers, const std::string& body) {
    return "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + "\r\n" + body;
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    auto all = talk(
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        "\r\nHEAD /head HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(seen_, (std::vector<std::string>{"GET /slow", "POST /echo", "HEAD /head", "GET /last"}));
    auto slow = all.find("/slow"), hello = all.find("hello"), last = all.find("/last");
    EXPECT_LT(slow, hello);
    EXPECT_LT(hello, last);
    EXPECT_EQ(all.find("/head"), std::string::npos);
    EXPECT_TRUE(all.ends_with("/last"));
}

TEST_F(ServerTest, ReadsChunkedBodies) {
    start();
    auto all = talk(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"));
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200")) << all;
    EXPECT_TRUE(all.ends_with("hello world")) << all;
}

TEST_F(ServerTest, RefusesBadChunksAndNeverRunsWhatFollows) {
    start();
    std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::string body :
         {"+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5;ext=1\r\nhello\r\n0\r\n\r\n",
          "5\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nx", "5\r\nhelloX\r\n0\r\n\r\n", "-1\r\n\r\n", "\r\n\r\n"}) {
        auto all = talk(post("Transfer-Encoding: chunked\r\n", body + hidden));
        EXPECT_TRUE(all.starts_with("HTTP/1.1 400")) << body << " -> " << all;
        EXPECT_NE(all.find("Connection: close"), std::string::npos);
    }
    EXPECT_TRUE(talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden)
                    .starts_with("HTTP/1.1 400"));
    EXPECT_TRUE(seen_.empty()) << seen_.front();
}

TEST_F(ServerTest, AnswersABareLineFeedAtOnce) {
    start();
    EXPECT_TRUE(talk("GET / HTTP/1.1\nHost: a\n\n").starts_with("HTTP/1.1 400"));
}

TEST_F(ServerTest, RefusesTooLargeWithoutReadingIt) {
    start();
    EXPECT_TRUE(talk(post("Content-Length: 10001\r\n", "")).starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(talk(post("Content-Length: 999999999999\r\n", "abc")).starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(
        talk(post("Transfer-Encoding: chunked\r\n", "2711\r\n" + std::string(10001, 'x'))).starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(talk(post("Content-Length: 10000\r\n", std::string(10000, 'x'))).starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(talk("GET /" + std::string(30000, 'a')).starts_with("HTTP/1.1 414"));
    EXPECT_TRUE(talk("GET / HTTP/1.1\r\nX: " + std::string(30000, 'a')).starts_with("HTTP/1.1 431"));
}

TEST_F(ServerTest, ContinuesWhenAsked) {
    start();
    Wire wire(server_->address());
    wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(wire.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("ok");
    EXPECT_TRUE(wire.read_until("\r\n\r\nok").ends_with("ok"));
    EXPECT_TRUE(talk(post("Content-Length: 2\r\nExpect: tea\r\n", "")).starts_with("HTTP/1.1 417"));
    EXPECT_TRUE(talk(post("Content-Length: 20000\r\nExpect: 100-continue\r\n", "")).starts_with("HTTP/1.1 413"));
}

TEST_F(ServerTest, DropsSlowSenders) {
    start();
    auto begun = monotonic_seconds();
    {
        Wire wire(server_->address());  // a head in drops
        for (int i = 0; i < 20 && wire.send("G"); ++i) std::this_thread::sleep_for(milliseconds(50));
        EXPECT_EQ(wire.read_all(), "");
    }
    {
        Wire wire(server_->address());  // a body in drops
        wire.send(post("Content-Length: 5000\r\n", ""));
        for (int i = 0; i < 20 && wire.send("x"); ++i) std::this_thread::sleep_for(milliseconds(50));
        EXPECT_EQ(wire.read_all(), "");
    }
    EXPECT_EQ(Wire(server_->address()).read_all(), "");  // nothing at all
    EXPECT_LT(monotonic_seconds() - begun, 4);
    EXPECT_TRUE(seen_.empty());
}

TEST_F(ServerTest, DropsReadersThatDoNotRead) {
    start();
    Wire stalled(server_->address());
    stalled.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(900));
    EXPECT_LT(stalled.read_all().size(), 40'000'000u);
    Wire patient(server_->address());
    patient.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_GT(patient.read_all().size(), 40'000'000u);
}

TEST_F(ServerTest, TurnsAThrownFaultIntoA500) {
    start();
    auto all = talk("GET /throw HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 500")) << all;
    EXPECT_EQ(all.find("on purpose"), std::string::npos);
    EXPECT_TRUE(all.ends_with("/next"));
}

TEST_F(ServerTest, TurnsAwayWhatIsTooMany) {
    auto limits = quick_limits();
    limits.connections_max = 2;
    start(limits);
    Wire first(server_->address()), second(server_->address());
    first.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    second.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    first.read_until("/a"), second.read_until("/b");
    EXPECT_TRUE(Wire(server_->address()).read_all().starts_with("HTTP/1.1 503"));
}

TEST_F(ServerTest, StopsAfterWhatIsInFlight) {
    start();
    Wire idle(server_->address()), busy(server_->address());
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(50));
    std::atomic<bool> drained = false;
    asio::post(io_, [&] { server_->stop([&] { drained = true; }); });
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_FALSE(drained);
    auto all = busy.read_all();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200")) << all;
    EXPECT_NE(all.find("Connection: close"), std::string::npos);
    for (int i = 0; i < 100 && !drained; ++i) std::this_thread::sleep_for(milliseconds(10));
    EXPECT_TRUE(drained);
}

TEST(Listen, SaysWhatIsWrongWithAnAddress) {
    asio::io_context io(1);
    auto none = [](Request&) -> asio::awaitable<Response> { co_return Response{}; };
    auto page = [](const Refusal&) { return Response{}; };
    Server first(io, {}, none, page), second(io, {}, none, page);
    ASSERT_TRUE(first.listen("127.0.0.1:0"));
    auto taken = second.listen(first.address());
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().reason, "port_in_use");
    EXPECT_NE(taken.error().message.find("another program uses this port"), std::string::npos);
    for (const char* bad : {"", "8080", ":80", "a:", "a:b", "a:70000", "no.such.host.invalid:80"})
        EXPECT_FALSE(second.listen(bad)) << bad;
}

// Bodies of /file go to files of at most 200,000 bytes, /shut takes none.
PlanBody plan_for(const std::filesystem::path& folder) {
    return [folder](const Request& request) -> std::expected<BodyPlan, Response> {
        if (request.path == "/file") return BodyPlan{200'000, folder};
        if (request.path != "/shut") return BodyPlan{10'000, {}};
        Response closed;
        closed.status = 401;
        return std::unexpected(closed);
    };
}

TEST_F(ServerTest, ALargeBodyGoesThroughAFileThatIsGoneAfterwards) {
    auto folder = std::filesystem::temp_directory_path() / ("rootstock-spool-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    start(quick_limits(), plan_for(folder));
    std::string body(150'000, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    Wire wire(server_->address());
    wire.send("POST /file HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n");
    wire.send(body);
    auto head = wire.read_until("\r\n\r\n");
    EXPECT_NE(head.find("200 OK"), std::string::npos);
    EXPECT_NE(head.find("Content-Length: 150000"), std::string::npos);
    EXPECT_TRUE(wire.read_exactly(body.size()) == body);
    // The same in chunks, on the same connection.
    wire.send("POST /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    wire.send("249f0\r\n" + body + "\r\n0\r\n\r\n");
    EXPECT_TRUE(wire.read_all().ends_with(body));
    EXPECT_TRUE(std::filesystem::is_empty(folder));
    std::filesystem::remove_all(folder);
}

TEST_F(ServerTest, APlanKeepsItsLimitAndCanTurnABodyAway) {
    start(quick_limits(), plan_for(std::filesystem::temp_directory_path()));
    auto answer = [this](const std::string& bytes) {
        Wire wire(server_->address());
        wire.send(bytes);
        return wire.read_all();
    };
    EXPECT_TRUE(answer("POST /file HTTP/1.1\r\nHost: a\r\nContent-Length: 200001\r\n\r\n").starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(answer("POST /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n30d41\r\n" +
                       std::string(200'001, 'x') + "\r\n0\r\n\r\n")
                    .starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(answer("POST /shut HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").starts_with("HTTP/1.1 401"));
    EXPECT_TRUE(answer("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10001\r\n\r\n").starts_with("HTTP/1.1 413"));
    EXPECT_TRUE(seen_.empty());
}

TEST_F(ServerTest, FilesOfAllOpenRequestsTogetherAreBounded) {
    auto limits = quick_limits();
    limits.spooled_bytes_max = 100'000;
    start(limits, plan_for(std::filesystem::temp_directory_path()));
    Wire wire(server_->address());
    wire.send("POST /file HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n" + std::string(150'000, 'x'));
    EXPECT_TRUE(wire.read_all().starts_with("HTTP/1.1 503"));
}

}  // namespace
}  // namespace rootstock::http
