#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace rootstock {
namespace {

// Boost.JSON keeps the last of two equal keys without a word; in a body from outside that is how two parsers come
// to read two different requests, so a duplicate is refused. The scan runs over text that already parsed.
class DuplicateScan {
public:
    explicit DuplicateScan(std::string_view text) : text_(text) {}

    // The first repeated key, or nothing.
    std::optional<std::string> find() {
        while (at_ < text_.size()) {
            char c = text_[at_];
            if (c == '{')
                open(true);
            else if (c == '[')
                open(false);
            else if (c == '}' || c == ']')
                levels_.pop_back(), ++at_;
            else if (c == ',')
                comma();
            else if (c == '"') {
                std::string text = string();
                if (!levels_.empty() && levels_.back().expects_key) {
                    levels_.back().expects_key = false;
                    if (!levels_.back().keys.insert(text).second) return text;
                }
            } else
                ++at_;
        }
        return std::nullopt;
    }

private:
    struct Level {
        bool object = false, expects_key = false;
        std::unordered_set<std::string> keys;
    };

    void open(bool object) {
        levels_.push_back({object, object, {}});
        ++at_;
    }

    void comma() {
        if (!levels_.empty()) levels_.back().expects_key = levels_.back().object;
        ++at_;
    }

    std::string string() {
        std::size_t begin = at_++;
        bool escaped = false;
        while (text_[at_] != '"') {
            if (text_[at_] == '\\') escaped = true, ++at_;
            ++at_;
        }
        ++at_;
        std::string_view quoted = text_.substr(begin, at_ - begin);
        if (!escaped) return std::string(quoted.substr(1, quoted.size() - 2));
        // "a" and "\u0061" are one key: compare what they mean.
        return std::string(json::parse(quoted).as_string());
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Level> levels_;
};

// Boost.JSON makes an infinity of 1e400. The nesting is bounded, and so is the recursion.
bool is_finite(const json::value& value) {
    if (const auto* number = value.if_double()) return std::isfinite(*number);
    if (const auto* list = value.if_array()) return std::all_of(list->begin(), list->end(), is_finite);
    const auto* object = value.if_object();
    return !object ||
           std::all_of(object->begin(), object->end(), [](const auto& field) { return is_finite(field.value()); });
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::string_view what, JsonLimits limits) {
    json::parse_options options;
    options.max_depth = limits.depth_max;
    boost::system::error_code code;
    std::size_t consumed = 0;
    json::value value;
    try {
        json::parser parser({}, options);
        consumed = parser.write_some(text.data(), text.size(), code);
        if (!code) value = parser.release();
    } catch (const std::exception& fault) {
        return fail(ErrorCode::invalid_argument, std::string(what) + " is not valid JSON: " + fault.what());
    }
    if (!code) {
        auto rest = text.substr(consumed);
        if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) code = json::error::extra_data;
    }
    if (code)
        return fail(
            ErrorCode::invalid_argument,
            std::string(what) + " is not valid JSON: " + code.message() + " near byte " + std::to_string(consumed), {},
            "invalid_json");
    if (!is_finite(value))
        return fail(ErrorCode::invalid_argument, std::string(what) + " is not valid JSON: a number is beyond a double",
                    {}, "invalid_json");
    if (auto key = DuplicateScan(text).find())
        return fail(ErrorCode::invalid_argument, std::string(what) + " names the field '" + *key + "' twice", *key,
                    "duplicate_field");
    return value;
}

JsonFields::JsonFields(const json::value& value, std::string_view what) : what_(what) {
    object_ = value.if_object();
    if (!object_) error_ = Error{ErrorCode::invalid_argument, what_ + " must be a JSON object", {}, {}};
}

void JsonFields::fault(std::string_view key, std::string_view sentence) {
    if (error_) return;
    error_ = Error{ErrorCode::invalid_argument,
                   what_ + ": '" + std::string(key) + "' " + std::string(sentence),
                   std::string(key),
                   {}};
}

const json::value* JsonFields::find(std::string_view key) {
    known_.emplace_back(key);
    return object_ ? object_->if_contains(key) : nullptr;
}

const json::value* JsonFields::optional_value(std::string_view key) { return find(key); }

const json::value* JsonFields::required_value(std::string_view key) {
    const auto* value = find(key);
    if (!value) fault(key, "is missing");
    return value;
}

std::string JsonFields::required_string(std::string_view key) {
    const auto* value = required_value(key);
    if (!value) return {};
    if (const auto* text = value->if_string()) return std::string(*text);
    fault(key, "must be a string");
    return {};
}

std::string JsonFields::optional_string(std::string_view key, std::string_view fallback) {
    const auto* value = find(key);
    if (!value || value->is_null()) return std::string(fallback);
    if (const auto* text = value->if_string()) return std::string(*text);
    fault(key, "must be a string");
    return {};
}

std::int64_t JsonFields::required_int(std::string_view key, std::int64_t low, std::int64_t high) {
    if (object_ && !object_->if_contains(key)) fault(key, "is missing");
    return optional_int(key, low, low, high);
}

std::int64_t JsonFields::optional_int(std::string_view key, std::int64_t fallback, std::int64_t low,
                                      std::int64_t high) {
    const auto* value = find(key);
    if (!value || value->is_null()) return fallback;
    boost::system::error_code code;
    auto number = value->to_number<std::int64_t>(code);
    if (code || !value->is_number() || number < low || number > high) {
        fault(key, "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
        return fallback;
    }
    return number;
}

double JsonFields::optional_number(std::string_view key, double fallback, double low, double high) {
    const auto* value = find(key);
    if (!value || value->is_null()) return fallback;
    boost::system::error_code code;
    double number = value->to_number<double>(code);
    if (code || !(number >= low && number <= high)) {
        fault(key, "must be a number from " + json::serialize(json::value(low)) + " to " +
                       json::serialize(json::value(high)));
        return fallback;
    }
    return number;
}

bool JsonFields::optional_bool(std::string_view key, bool fallback) {
    const auto* value = find(key);
    if (!value || value->is_null()) return fallback;
    if (const auto* flag = value->if_bool()) return *flag;
    fault(key, "must be true or false");
    return fallback;
}

std::vector<std::string> JsonFields::optional_strings(std::string_view key) {
    const auto* value = find(key);
    if (!value || value->is_null()) return {};
    std::vector<std::string> texts;
    const auto* array = value->if_array();
    if (!array)
        fault(key, "must be a list of strings");
    else
        for (const auto& item : *array) {
            if (const auto* text = item.if_string())
                texts.emplace_back(*text);
            else
                fault(key, "must be a list of strings");
        }
    return texts;
}

Result<void> JsonFields::finish() {
    if (!error_ && object_ && !ignore_others_) {
        for (const auto& field : *object_) {
            if (std::find(known_.begin(), known_.end(), field.key()) != known_.end()) continue;
            error_ = Error{ErrorCode::invalid_argument,
                           what_ + ": unknown field '" + std::string(field.key()) + "'; remove it",
                           std::string(field.key()), "unknown_field"};
            break;
        }
    }
    if (error_) return fail(*error_);
    return {};
}

}  // namespace rootstock
