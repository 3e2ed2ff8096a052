#include "app/routes/management.h"

#include <algorithm>

#include "app/routes/base64.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

constexpr std::int64_t page_default = 20, page_max = 100;

http::Response render(const Told& told) {
    auto response = json_response(told.body);
    response.status = told.status;
    if (told.version) response.headers.push_back({"ETag", etag_of(*told.version)});
    return response;
}

}  // namespace

Result<http::Response> look(Exchange& exchange, const Work& work) {
    ROOTSTOCK_TRY(told, exchange.services.records->read([&](store::Session& session) { return work(session); }));
    return render(told);
}

Task<Result<http::Response>> change(Exchange& exchange, Work work) {
    const auto now = exchange.services.clock.now();
    auto both = [&](store::Session& session) -> Result<Told> {
        ROOTSTOCK_TRY(told, work(session));
        if (exchange.repeat)
            ROOTSTOCK_CHECKED(ledger::finish(session, *exchange.repeat, exchange.id, told.status,
                                             json::serialize(told.replay ? *told.replay : told.body), now));
        return std::move(told);
    };
    auto told = co_await exchange.services.write(both);
    if (!told) co_return fail(told.error());
    exchange.repeat.reset();
    co_return render(*told);
}

Endpoint managed(Body body, std::function<Task<Result<http::Response>>(Exchange&)> answer) {
    return {Access::manage, body, std::move(answer), Dialect::details};
}

Result<Paging> paging_of(const Exchange& exchange) {
    auto fields = http::parse_query(exchange.request.query);
    if (!fields) return fail(ErrorCode::invalid_argument, fields.error().sentence);
    Paging paging{page_default, {}};
    for (const auto& [name, value] : *fields) {
        if (name == "limit") paging.limit = std::clamp<std::int64_t>(std::stoll(value), 1, page_max);
        if (name != "cursor") continue;
        auto after = read_cursor(value);
        if (!after)
            return fail(ErrorCode::invalid_argument, "'cursor' must be the next_cursor of the page before", "cursor");
        paging.after = std::move(*after);
    }
    return paging;
}

std::string etag_of(std::int64_t version) { return "\"" + std::to_string(version) + "\""; }

Result<void> expect_version(const Exchange& exchange, std::int64_t version) {
    auto given = exchange.request.all_of_header("If-Match");
    if (given.empty()) return {};
    const auto wanted = etag_of(version);
    std::string_view rest = given;
    while (!rest.empty()) {
        auto tag = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(tag.size() + 1, rest.size()));
        tag.remove_prefix(std::min(tag.find_first_not_of(" \t"), tag.size()));
        while (tag.ends_with(' ') || tag.ends_with('\t')) tag.remove_suffix(1);
        if (tag == "*" || tag == wanted) return {};
    }
    return fail(ErrorCode::conflict,
                "somebody changed it meanwhile: look at it again, its version is " + wanted + " now", "If-Match",
                "precondition_failed");
}

json::value time_or_null(const std::optional<Timestamp>& instant) {
    return instant ? json::value(to_iso8601(*instant)) : json::value(nullptr);
}

std::optional<std::int64_t> nullable_int(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    if (!value || value->is_null()) return std::nullopt;
    return value->to_number<std::int64_t>();
}

}  // namespace rootstock
