#include "http/client/web.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace rootstock::http {
namespace {

// A listener on the loopback that takes one connection, reads what comes until the other side is silent, answers with
// `text` and closes.
class OneAnswer {
public:
    explicit OneAnswer(std::string text) : text_(std::move(text)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(socket_, 4), 0);
        socklen_t size = sizeof address;
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~OneAnswer() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    std::string url(const std::string& host = "127.0.0.1") const {
        return "http://" + host + ":" + std::to_string(port_) + "/place";
    }
    std::string heard() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        thread_ = std::thread([] {});
        return heard_;
    }

private:
    void serve() {
        const int wire = ::accept(socket_, nullptr, nullptr);
        if (wire < 0) return;
        timeval silence{0, 200'000};
        ::setsockopt(wire, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
        char piece[4096];
        for (ssize_t got; (got = ::recv(wire, piece, sizeof piece, 0)) > 0;)
            heard_.append(piece, static_cast<std::size_t>(got));
        ::send(wire, text_.data(), text_.size(), MSG_NOSIGNAL);
        ::close(wire);
    }
    std::string text_, heard_;
    int socket_;
    int port_ = 0;
    std::thread thread_;
};

std::string answer_of(const std::string& status, const std::string& body, const std::string& more = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

TEST(Web, KnowsWhereATokenMayGo) {
    EXPECT_TRUE(same_origin("https://hub.example/a", "https://hub.example:443/b?x"));
    EXPECT_FALSE(same_origin("https://hub.example/a", "https://cdn.hub.example/a"));
    EXPECT_FALSE(same_origin("https://hub.example/a", "http://hub.example/a"));
    EXPECT_FALSE(same_origin("http://127.0.0.1:8000/", "http://127.0.0.1:8001/"));
}

TEST(Web, SpellsAddresses) {
    EXPECT_EQ(percent_encoded("refs/pr/1", false), "refs%2Fpr%2F1");
    EXPECT_EQ(percent_encoded("1_Pooling/config x.json", true), "1_Pooling/config%20x.json");
    EXPECT_EQ(plain_etag("W/\"abc\""), "abc");
    EXPECT_TRUE(is_web_address("https://hub.example"));
    EXPECT_FALSE(is_web_address("file:///etc/passwd"));
    EXPECT_FALSE(is_web_address("hub"));
}

TEST(Web, PostsABodyAndTakesTheWholeAnswerWhateverItsStatus) {
    OneAnswer server(answer_of("409 Conflict", "{\"error\":1}"));
    auto answer = Web().send({server.url(), "secret", {"Idempotency-Key: a1"}, "amount=5"}, 1000);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 409);
    EXPECT_EQ(answer->body, "{\"error\":1}");
    auto heard = server.heard();
    EXPECT_TRUE(heard.starts_with("POST /place HTTP/1.1\r\n")) << heard;
    EXPECT_NE(heard.find("Idempotency-Key: a1\r\n"), std::string::npos);
    EXPECT_NE(heard.find("Authorization: Bearer secret\r\n"), std::string::npos);
    EXPECT_TRUE(heard.ends_with("\r\n\r\namount=5"));
    EXPECT_EQ(heard.find("Expect:"), std::string::npos);
}

TEST(Web, FollowsNoRedirectUnlessARuleSaysSo) {
    OneAnswer goal(answer_of("200 OK", "there"));
    OneAnswer server(answer_of("302 Found", "", "Location: " + goal.url() + "\r\n"));
    auto answer = Web().send({server.url(), "", {}}, 1000);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 302);
    EXPECT_EQ(goal.heard(), "");

    OneAnswer far(answer_of("200 OK", "there"));
    OneAnswer way(answer_of("302 Found", "", "Location: " + far.url() + "\r\n"));
    auto led = Web(download_rules()).send({way.url(), "", {}}, 1000);
    ASSERT_TRUE(led) << led.error().message;
    EXPECT_EQ(led->body, "there");
}

TEST(Web, BoundsTheAnswerAndTheTime) {
    OneAnswer large(answer_of("200 OK", std::string(2000, 'x')));
    auto answer = Web().send({large.url(), "", {}}, 1000);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::too_large);

    OneAnswer slow(answer_of("200 OK", "late"));  // answers after 200 ms of silence
    auto late = Web({.total_max = std::chrono::milliseconds(50)}).send({slow.url(), "", {}, "x"}, 1000);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::unavailable);
    EXPECT_EQ(late.error().reason, "") << "it may have arrived";
}

TEST(Web, SaysWhenNothingWasSent) {
    std::string url;
    {
        OneAnswer gone("");
        url = gone.url();
    }
    auto answer = Web().send({url, "", {}, "x"}, 1000);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, "not_sent");
}

TEST(Web, ReachesNoPrivateAddressByWhateverName) {
    for (const char* host :
         {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"}) {
        OneAnswer server(answer_of("200 OK", "inside"));
        auto answer = Web({.addresses = {.public_only = true}}).send({server.url(host), "", {}}, 1000);
        ASSERT_FALSE(answer) << host;
        EXPECT_EQ(answer.error().reason, "address_refused") << host << ": " << answer.error().message;
        EXPECT_EQ(server.heard(), "") << host;
    }
    OneAnswer named(answer_of("200 OK", "inside"));
    auto answer = Web({.addresses = {.public_only = true, .allowed = {"127.0.0.1"}}}).send({named.url(), "", {}}, 1000);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "inside");
}

TEST(Addresses, KnowsThePublicInternet) {
    for (const char* address : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"})
        EXPECT_TRUE(is_public_address(address)) << address;
    for (const char* address : {"0.0.0.0",
                                "10.1.2.3",
                                "100.64.0.1",
                                "127.9.9.9",
                                "169.254.169.254",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.168.1.1",
                                "198.18.0.1",
                                "224.0.0.1",
                                "255.255.255.255",
                                "::1",
                                "::",
                                "fe80::1",
                                "fd00:ec2::254",
                                "ff02::1",
                                "::ffff:8.8.8.8",
                                "64:ff9b::a00:1",
                                "2002:7f00:1::",
                                "2001:0:1::1",
                                "2001:db8::1",
                                "",
                                "name",
                                "8.8.8.8/8"})
        EXPECT_FALSE(is_public_address(address)) << address;
}

TEST(Addresses, AllowsWhatTheRuleNames) {
    const AddressRule rule{true, {"10.20.0.0/16", "fd00::/8"}};
    EXPECT_TRUE(may_reach(rule, "10.20.255.1"));
    EXPECT_FALSE(may_reach(rule, "10.21.0.1"));
    EXPECT_TRUE(may_reach(rule, "fd12::1"));
    EXPECT_FALSE(may_reach(rule, "::ffff:10.20.0.1"));
    EXPECT_TRUE(check_networks(rule.allowed));
    EXPECT_FALSE(check_networks({"10.0.0.0/33"}));
    EXPECT_FALSE(check_networks({"intranet"}));
}

}  // namespace
}  // namespace rootstock::http
