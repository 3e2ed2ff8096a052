#include "http/message/cors.h"

#include <gtest/gtest.h>

namespace rootstock::http {
namespace {

const std::vector<std::string> origins{"https://app.example.com", "http://localhost:3000"};

Request asking(const std::string& method, std::vector<Header> headers) {
    Request request;
    request.method = method;
    request.headers = std::move(headers);
    return request;
}

std::string value_of(const Response& response, std::string_view name) {
    for (const auto& header : response.headers)
        if (same_name(header.name, name)) return header.value;
    return "-";
}

TEST(Cors, OriginsAreNamedOneByOne) {
    for (const char* good : {"https://app.example.com", "http://localhost:3000", "https://xn--bcher-kva.example",
                             "http://127.0.0.1:8081", "http://[::1]:3000"})
        EXPECT_TRUE(check_origin(good)) << good;
    for (const char* bad :
         {"*", "null", "", "app.example.com", "https://", "https://app.example.com/", "ftp://a.example",
          "https://a.example/x", "https://a.example?x", "https://u@a.example", "https://App.example",
          "https://a.example:443", "http://a.example:80", "http://a.example:", "https://*.example\r\nx"})
        EXPECT_FALSE(check_origin(bad)) << bad;
}

TEST(Cors, ABrowsersQuestionIsAnswered) {
    const auto request = asking("OPTIONS", {{"Origin", "http://localhost:3000"},
                                            {"Access-Control-Request-Method", "POST"},
                                            {"Access-Control-Request-Headers", "authorization,content-type"}});
    auto response = preflight(request, origins, "POST");
    ASSERT_TRUE(response);
    allow_origin(*response, request, origins);
    EXPECT_EQ(response->status, 204);
    EXPECT_EQ(value_of(*response, "Access-Control-Allow-Origin"), "http://localhost:3000");
    EXPECT_EQ(value_of(*response, "Access-Control-Allow-Methods"), "POST");
    EXPECT_EQ(value_of(*response, "Access-Control-Allow-Headers"), "authorization, content-type");
    EXPECT_EQ(value_of(*response, "Access-Control-Allow-Credentials"), "-");
    EXPECT_EQ(value_of(*response, "Vary"), "Origin");
}

TEST(Cors, OtherQuestionsAreNotAnswered) {
    const Header method{"Access-Control-Request-Method", "POST"}, origin{"Origin", origins[0]};
    EXPECT_FALSE(preflight(asking("OPTIONS", {method}), origins, "POST"));
    EXPECT_FALSE(preflight(asking("OPTIONS", {origin}), origins, "POST"));
    EXPECT_FALSE(preflight(asking("GET", {method, origin}), origins, "POST"));
    EXPECT_FALSE(preflight(asking("OPTIONS", {method, {"Origin", "https://evil.example"}}), origins, "POST"));
    EXPECT_FALSE(
        preflight(asking("OPTIONS", {method, {"Origin", "https://app.example.com.evil.example"}}), origins, ""));
    EXPECT_FALSE(preflight(asking("OPTIONS", {method, origin}), {}, "POST"));
    EXPECT_FALSE(
        preflight(asking("OPTIONS", {method, origin, {"Access-Control-Request-Headers", "a b"}}), origins, ""));
}

TEST(Cors, AnswersMayBeReadByNamedOriginsOnly) {
    Response ours, theirs, none;
    allow_origin(ours, asking("GET", {{"Origin", origins[0]}}), origins);
    EXPECT_EQ(value_of(ours, "Access-Control-Allow-Origin"), origins[0]);
    EXPECT_NE(value_of(ours, "Access-Control-Expose-Headers").find("x-request-id"), std::string::npos);
    allow_origin(theirs, asking("GET", {{"Origin", "https://evil.example"}}), origins);
    EXPECT_EQ(value_of(theirs, "Access-Control-Allow-Origin"), "-");
    EXPECT_EQ(value_of(theirs, "Vary"), "Origin");  // a cache must not give it to others
    allow_origin(none, asking("GET", {{"Origin", origins[0]}}), {});
    EXPECT_TRUE(none.headers.empty());
}

}  // namespace
}  // namespace rootstock::http
