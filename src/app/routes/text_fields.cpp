#include "app/routes/text_fields.h"

#include <algorithm>
#include <charconv>

namespace rootstock {

TextFields TextFields::of_query(const http::Request& request) {
    auto parsed = http::parse_query(request.query);
    TextFields fields(parsed ? std::move(*parsed) : std::vector<http::Header>());
    if (!parsed) fields.error_ = Error{ErrorCode::invalid_argument, parsed.error().sentence, {}, "bad_request"};
    return fields;
}

void TextFields::fault(std::string_view name, std::string_view sentence) {
    if (error_) return;
    error_ = Error{
        ErrorCode::invalid_argument, "'" + std::string(name) + "' " + std::string(sentence), std::string(name), {}};
}

const std::string* TextFields::find(std::string_view name) {
    known_.emplace_back(name);
    const std::string* found = nullptr;
    for (const auto& field : fields_) {
        if (field.name != name) continue;
        if (found) fault(name, "is given twice");
        found = &field.value;
    }
    return found;
}

std::string TextFields::text(std::string_view name, std::string_view fallback) {
    const auto* value = find(name);
    return value ? *value : std::string(fallback);
}

std::string TextFields::required(std::string_view name) {
    const auto* value = find(name);
    if (!value || value->empty()) fault(name, "is missing");
    return value ? *value : std::string();
}

std::int64_t TextFields::integer(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high) {
    const auto* value = find(name);
    if (!value) return fallback;
    std::int64_t number = 0;
    auto [end, code] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (code == std::errc() && end == value->data() + value->size() && number >= low && number <= high) return number;
    fault(name, "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    return fallback;
}

std::string TextFields::choice(std::string_view name, std::string_view fallback,
                               std::initializer_list<std::string_view> known) {
    auto value = text(name, fallback);
    if (value == fallback || std::ranges::find(known, value) != known.end()) return value;
    std::string all;
    for (auto word : known) all += (all.empty() ? "'" : ", '") + std::string(word) + "'";
    fault(name, "must be one of " + all);
    return value;
}

std::vector<std::string> TextFields::list(std::string_view name) {
    const auto bracketed = std::string(name) + "[]";
    known_.emplace_back(name);
    known_.push_back(bracketed);
    std::vector<std::string> values;
    for (const auto& field : fields_)
        if (field.name == name || field.name == bracketed) values.push_back(field.value);
    return values;
}

std::vector<std::pair<std::string, std::string>> TextFields::map(std::string_view name) {
    const auto begin = std::string(name) + "[";
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& field : fields_) {
        if (!field.name.starts_with(begin) || !field.name.ends_with("]")) continue;
        known_.push_back(field.name);
        entries.emplace_back(field.name.substr(begin.size(), field.name.size() - begin.size() - 1), field.value);
    }
    return entries;
}

catalog::PageQuery TextFields::page(std::int64_t fallback, std::int64_t limit_max, bool ordered) {
    catalog::PageQuery query;
    query.limit = integer("limit", fallback, 1, limit_max);
    query.after = text("after");
    if (ordered) query.ascending = choice("order", "desc", {"asc", "desc"}) == "asc";
    return query;
}

Result<void> TextFields::finish() {
    for (const auto& field : fields_)
        if (!error_ && std::ranges::find(known_, field.name) == known_.end())
            error_ = Error{ErrorCode::invalid_argument, "'" + field.name + "' is not known here", field.name,
                           "unknown_field"};
    if (error_) return fail(std::move(*error_));
    return {};
}

}  // namespace rootstock
