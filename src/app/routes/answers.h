#pragma once
// What answers of the record routes have in common.

#include "app/pipeline/exchange.h"
#include "catalog/catalog.h"

namespace rootstock {

inline http::Response json_response(const json::value& value) {
    http::Response response;
    response.body = json::serialize(value);
    return response;
}

// Instants are told in whole seconds since 1970 UTC.
inline std::int64_t unix_time(Timestamp instant) { return instant.micros / 1'000'000; }
inline json::value unix_time_or_null(const std::optional<Timestamp>& instant) {
    return instant ? json::value(unix_time(*instant)) : json::value(nullptr);
}

inline json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

// {"object": "list", "data", "first_id", "last_id", "has_more"}
template <typename T, typename Render>
json::object list_of(const catalog::Page<T>& page, Render render) {
    json::array data;
    for (const auto& item : page.items) data.push_back(render(item));
    json::object list{{"object", "list"}, {"first_id", nullptr}, {"last_id", nullptr}, {"has_more", page.has_more}};
    if (!data.empty()) {
        list["first_id"] = data.front().at("id");
        list["last_id"] = data.back().at("id");
    }
    list["data"] = std::move(data);
    return list;
}

// A field that may be absent or null: "" then.
inline std::string nullable_string(JsonFields& fields, std::string_view key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return {};
    if (!value->is_string()) {
        fields.fault(key, "must be a string or null");
        return {};
    }
    return std::string(value->get_string());
}

// OpenAI's metadata: at most 16 pairs of a key of 64 and a value of 512 characters. Null when absent.
json::value read_metadata(JsonFields& fields);

// {"anchor": "created_at", "seconds": N}: how many; nothing when absent.
std::optional<std::int64_t> read_expiry(JsonFields& fields, std::string_view key);
inline constexpr std::int64_t expiry_seconds_min = 3600, expiry_seconds_max = 2'592'000;

}  // namespace rootstock
