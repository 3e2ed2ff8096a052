#pragma once
// JSON from outside, bounded: depth, size and every field checked by name. Built on Boost.JSON.

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace rootstock {

namespace json = boost::json;

struct JsonLimits {
    std::size_t depth_max = 64;  // deeper nesting is an error, not a recursion
};

// Strict RFC 8259: no comments, no trailing commas, valid UTF-8, no duplicate keys, no numbers outside double.
// `what` names the source in messages ("config.json", "the request body").
Result<json::value> parse_json(std::string_view text, std::string_view what, JsonLimits limits = {});

// Reads the fields of one object. Every getter records the first fault; finish() returns it, and refuses any
// field that no getter asked for. Usage:
//   JsonFields fields(value, "the request body");
//   auto model = fields.required_string("model");
//   auto n = fields.optional_int("n", 1, 1, 10);
//   ROOTSTOCK_CHECKED(fields.finish());
class JsonFields {
public:
    JsonFields(const json::value& value, std::string_view what);

    std::string required_string(std::string_view key);
    std::string optional_string(std::string_view key, std::string_view fallback);
    std::int64_t required_int(std::string_view key, std::int64_t low, std::int64_t high);
    std::int64_t optional_int(std::string_view key, std::int64_t fallback, std::int64_t low, std::int64_t high);
    double optional_number(std::string_view key, double fallback, double low, double high);
    bool optional_bool(std::string_view key, bool fallback);
    const json::value* optional_value(std::string_view key);  // null when absent
    const json::value* required_value(std::string_view key);  // null (and a fault) when absent
    std::vector<std::string> optional_strings(std::string_view key);

    void fault(std::string_view key, std::string_view sentence);  // lets the caller add a fault of its own
    void ignore_others() { ignore_others_ = true; }               // for files of others, which carry more fields
    Result<void> finish();

private:
    const json::value* find(std::string_view key);

    const json::object* object_ = nullptr;
    std::string what_;
    std::vector<std::string> known_;
    std::optional<Error> error_;
    bool ignore_others_ = false;
};

}  // namespace rootstock
