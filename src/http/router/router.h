#pragma once
// From method and path to whatever answers there. Patterns are written as in OpenAPI: "/v1/models/{id}".

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "http/message/message.h"

namespace rootstock::http {

// The values of the pattern's {parts} when the path fits it. A {part} matches one non-empty segment.
std::optional<std::vector<Header>> match_pattern(std::string_view pattern, const std::vector<std::string>& segments);

template <typename Endpoint>
class Router {
public:
    struct Route {
        std::string method;
        std::string pattern;
        Endpoint endpoint;
    };

    struct Match {
        const Route* route = nullptr;  // null: no such path, or the path exists for other methods only
        std::string allow;             // "GET, HEAD": the methods of the path, when it exists
    };

    // Adding the same method and pattern twice asserts.
    void add(std::string method, std::string pattern, Endpoint endpoint) {
        for (const auto& route : routes_)
            ROOTSTOCK_CHECK(route.method != method || route.pattern != pattern, "a route is added twice");
        routes_.push_back({std::move(method), std::move(pattern), std::move(endpoint)});
    }

    // Finds the route and fills request.path_values. HEAD finds the GET route.
    Match find(Request& request) const {
        Match match;
        std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
        for (const auto& route : routes_) {
            auto values = match_pattern(route.pattern, request.segments);
            if (!values) continue;
            if (!match.allow.empty()) match.allow += ", ";
            match.allow += route.method == "GET" ? "GET, HEAD" : route.method;
            if (route.method != method || match.route) continue;
            match.route = &route;
            request.path_values = std::move(*values);
        }
        return match;
    }

    const std::vector<Route>& routes() const { return routes_; }

private:
    std::vector<Route> routes_;
};

}  // namespace rootstock::http
