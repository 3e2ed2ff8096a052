#include "http/router/router.h"

namespace rootstock::http {
namespace {

bool is_variable(std::string_view part) { return part.starts_with('{') && part.ends_with('}'); }

}  // namespace

std::optional<std::vector<Header>> match_pattern(std::string_view pattern, const std::vector<std::string>& segments) {
    ROOTSTOCK_CHECK(pattern.starts_with('/'), "a route pattern begins with '/'");
    std::vector<Header> values;
    std::string_view rest = pattern.substr(1);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        auto end = rest.find('/');
        auto part = rest.substr(0, end);
        if (is_variable(part) && !segments[i].empty())
            values.push_back({std::string(part.substr(1, part.size() - 2)), segments[i]});
        else if (part != segments[i])
            return std::nullopt;
        bool last = end == std::string_view::npos;
        if (last != (i + 1 == segments.size())) return std::nullopt;
        if (!last) rest.remove_prefix(end + 1);
    }
    return values;
}

}  // namespace rootstock::http
