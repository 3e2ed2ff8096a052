#include "http/message/message.h"

#include <gtest/gtest.h>

namespace rootstock::http {
namespace {

TEST(Message, FindsHeadersInAnyCase) {
    Request request;
    request.headers = {{"Content-Type", "application/json"}, {"X-A", "1"}, {"x-a", "2"}};
    EXPECT_EQ(request.header("content-TYPE"), "application/json");
    EXPECT_EQ(request.header("X-a"), "1");
    EXPECT_FALSE(request.header("X"));
}

TEST(Message, WritesAResponse) {
    Response response;
    response.status = 404;
    response.headers = {{"x-request-id", "req_1"}};
    response.body = "{}";
    auto bytes = serialize(response, true, false);
    EXPECT_TRUE(bytes.starts_with("HTTP/1.1 404 Not Found\r\nDate: ")) << bytes;
    EXPECT_NE(bytes.find(" GMT\r\n"), std::string::npos);
    EXPECT_NE(bytes.find("Content-Length: 2\r\n"), std::string::npos);
    EXPECT_NE(bytes.find("x-request-id: req_1\r\n"), std::string::npos);
    EXPECT_NE(bytes.find("Connection: keep-alive\r\n"), std::string::npos);
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n{}"));
    EXPECT_TRUE(serialize(response, false, true).ends_with("Connection: close\r\n\r\n"));
}

TEST(Message, NoContentHasNoLength) {
    Response response;
    response.status = 204;
    response.content_type.clear();
    EXPECT_EQ(serialize(response, true, false).find("Content-"), std::string::npos);
}

TEST(Message, JoinsTheLinesOfAList) {
    Request request;
    request.headers = {{"Accept-Encoding", "br"}, {"x", "y"}, {"accept-encoding", "gzip"}};
    EXPECT_EQ(request.all_of_header("Accept-Encoding"), "br, gzip");
    EXPECT_EQ(request.all_of_header("Origin"), "");
}

// A text from outside that reached a header could otherwise write further ones.
TEST(MessageDeathTest, NeverWritesAControlCharacterIntoAHeader) {
    Response response;
    response.headers = {{"x", "a\r\nSet-Cookie: b"}};
    EXPECT_DEATH(serialize(response, true, false), "control character");
}

}  // namespace
}  // namespace rootstock::http
