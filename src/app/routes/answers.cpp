#include "app/routes/answers.h"

namespace rootstock {
namespace {

constexpr std::size_t metadata_pairs_max = 16, metadata_key_max = 64, metadata_value_max = 512;

bool is_metadata(const json::object& pairs) {
    if (pairs.size() > metadata_pairs_max) return false;
    for (const auto& [key, value] : pairs)
        if (key.size() > metadata_key_max || !value.is_string() || value.get_string().size() > metadata_value_max)
            return false;
    return true;
}

}  // namespace

json::value read_metadata(JsonFields& fields) {
    const auto* value = fields.optional_value("metadata");
    if (!value || value->is_null()) return nullptr;
    if (value->is_object() && is_metadata(value->get_object())) return *value;
    fields.fault("metadata",
                 "must be an object of at most 16 strings, keys of 64 and values of 512 characters at most");
    return nullptr;
}

std::optional<std::int64_t> read_expiry(JsonFields& fields, std::string_view key) {
    const auto* value = fields.optional_value(key);
    if (!value || value->is_null()) return std::nullopt;
    JsonFields inner(*value, key);
    auto anchor = inner.required_string("anchor");
    auto seconds = inner.required_int("seconds", expiry_seconds_min, expiry_seconds_max);
    if (!inner.finish() || anchor != "created_at") {
        fields.fault(key, "must be {\"anchor\": \"created_at\", \"seconds\": 3600 to 2592000}");
        return std::nullopt;
    }
    return seconds;
}

}  // namespace rootstock
