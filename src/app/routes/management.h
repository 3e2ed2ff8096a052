#pragma once
// What the routes of the management API have in common (docs/formats/management-api.md tells how to add one).

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/pipeline/exchange.h"
#include "app/routes/answers.h"
#include "app/routes/cursor.h"

namespace rootstock {

// What a route tells.
struct Told {
    json::object body{};
    int status = 200;                       // 201 for what was made
    std::optional<std::int64_t> version{};  // of the object: becomes its ETag
    std::optional<json::object> replay{};   // what a repetition is told instead: without what is shown once
};

// A look at the records, in one snapshot; and a change of them, durable before it is told. A change keeps its answer
// under the request's Idempotency-Key in the same transaction, so that both happen or neither does.
using Work = std::function<Result<Told>(store::Session&)>;
Result<http::Response> look(Exchange& exchange, const Work& work);
Task<Result<http::Response>> change(Exchange& exchange, Work work);

// An endpoint of the management API.
Endpoint managed(Body body, std::function<Task<Result<http::Response>>(Exchange&)> answer);

// ---- lists: {"data": [...], "next_cursor"} ----

// ?limit=20&cursor=... of the request; `after` is what the page before ended with, as `page_of` was told it.
struct Paging {
    std::int64_t limit = 20;
    std::string after{};
    std::int64_t fetch() const { return limit + 1; }  // for LIMIT: one more shows whether there are more
};
Result<Paging> paging_of(const Exchange& exchange);

// `items` as they were fetched; `place` gives what an item's page would go on after (its id).
template <typename T, typename Render, typename Place>
Told page_of(const Paging& paging, std::vector<T> items, Render render, Place place) {
    const auto limit = static_cast<std::size_t>(paging.limit);
    const bool more = items.size() > limit;
    if (more) items.resize(limit);
    json::array data;
    for (const auto& item : items) data.push_back(render(item));
    json::object body{{"data", std::move(data)}, {"next_cursor", nullptr}};
    if (more) body["next_cursor"] = cursor_of(place(items.back()));
    return Told{std::move(body)};
}

// ---- versions (RFC 9110, 8.8.3 and 13.1.1) ----

std::string etag_of(std::int64_t version);  // "\"7\""

// Does If-Match, when it came, name this version? conflict, reason "precondition_failed".
Result<void> expect_version(const Exchange& exchange, std::int64_t version);

// Instants are told as ISO 8601, UTC.
json::value time_or_null(const std::optional<Timestamp>& instant);

// A number that may be null or left out: nothing then.
std::optional<std::int64_t> nullable_int(const json::object& body, std::string_view key);

}  // namespace rootstock
