#include "http/router/router.h"

#include <gtest/gtest.h>

#include "http/message/head.h"

namespace rootstock::http {
namespace {

Request request_for(const std::string& method, const std::string& target) {
    Request request;
    request.method = method;
    request.segments = parse_target(target)->segments;
    return request;
}

Router<int> sample() {
    Router<int> router;
    router.add("GET", "/v1/models", 1);
    router.add("GET", "/v1/models/{id}", 2);
    router.add("POST", "/v1/models/{id}", 3);
    router.add("GET", "/v1/{kind}/{id}/files", 4);
    return router;
}

int found(const std::string& method, const std::string& target) {
    auto router = sample();
    auto request = request_for(method, target);
    auto match = router.find(request);
    return match.route ? match.route->endpoint : 0;
}

TEST(Router, FindsByMethodAndPath) {
    EXPECT_EQ(found("GET", "/v1/models"), 1);
    EXPECT_EQ(found("GET", "/v1/models/x"), 2);
    EXPECT_EQ(found("POST", "/v1/models/x"), 3);
    EXPECT_EQ(found("GET", "/v1/a/b/files"), 4);
    EXPECT_EQ(found("HEAD", "/v1/models"), 1);
    EXPECT_EQ(found("GET", "/v1"), 0);
    EXPECT_EQ(found("GET", "/v1/models/"), 0);
    EXPECT_EQ(found("GET", "/v1/models/x/"), 0);
    EXPECT_EQ(found("GET", "//v1/models"), 0);
    EXPECT_EQ(found("GET", "/V1/models"), 0);
    EXPECT_EQ(found("GET", "/"), 0);
}

TEST(Router, HandsOverThePathsValues) {
    auto router = sample();
    auto request = request_for("GET", "/v1/models/a%2Fb@2");
    ASSERT_TRUE(router.find(request).route);
    EXPECT_EQ(request.path_value("id"), "a/b@2");
    EXPECT_EQ(request.path_value("other"), "");
}

TEST(Router, TellsTheMethodsOfAPath) {
    auto router = sample();
    auto wrong = request_for("DELETE", "/v1/models/x");
    auto match = router.find(wrong);
    EXPECT_FALSE(match.route);
    EXPECT_EQ(match.allow, "GET, HEAD, POST");
    auto missing = request_for("DELETE", "/v2");
    EXPECT_EQ(router.find(missing).allow, "");
}

}  // namespace
}  // namespace rootstock::http
