#include "app/contract/schema.h"

#include <array>
#include <charconv>
#include <cmath>

namespace rootstock {
namespace {

unsigned type_bits(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return Schema::null;
        case json::kind::bool_:
            return Schema::boolean;
        case json::kind::int64:
        case json::kind::uint64:
            return Schema::integer | Schema::number;
        case json::kind::double_: {
            double number = value.get_double();
            return std::trunc(number) == number ? Schema::integer | Schema::number : unsigned{Schema::number};
        }
        case json::kind::string:
            return Schema::string;
        case json::kind::array:
            return Schema::array;
        case json::kind::object:
            return Schema::object;
    }
    return 0;
}

std::string type_words(unsigned types) {
    constexpr std::pair<unsigned, const char*> words[] = {
        {Schema::string, "a string"}, {Schema::integer, "an integer"},
        {Schema::number, "a number"}, {Schema::boolean, "true or false"},
        {Schema::array, "a list"},    {Schema::object, "an object"},
        {Schema::null, "null"}};
    std::string text;
    for (auto [bit, word] : words)
        if (types & bit) text += (text.empty() ? "" : " or ") + std::string(word);
    return text;
}

std::string number_text(double number) {
    std::array<char, 32> digits;
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

// Characters of valid UTF-8 (the parser of JSON has seen to that).
std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
}

// Equal as JSON is: 1 and 1.0 are one number.
bool equal(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
    return a == b;
}

class Checker {
public:
    std::optional<SchemaFault> run(const Schema& schema, const json::value& value) {
        check(schema, value);
        return std::move(fault_);
    }

private:
    // One step down into the value: a field's name, or a place in a list. Told as text only when something is refused.
    struct Place {
        std::string_view key;
        std::size_t index = 0;
        bool in_list = false;
    };

    bool refuse(std::string rule, std::string reason = {}) {
        std::string path;
        for (const auto& place : places_) {
            if (place.in_list)
                path += "[" + std::to_string(place.index) + "]";
            else
                path.append(path.empty() ? "" : ".").append(place.key);
        }
        fault_ = SchemaFault{std::move(path), std::move(rule), std::move(reason), places_.size(),
                             places_.empty() ? 0 : places_.back().index};
        return false;
    }

    bool refuse_at(Place place, std::string rule, std::string reason = {}) {
        places_.push_back(place);
        refuse(std::move(rule), std::move(reason));
        places_.pop_back();
        return false;
    }

    bool check_at(Place place, const Schema& schema, const json::value& value) {
        places_.push_back(place);
        bool fine = check(schema, value);
        places_.pop_back();
        return fine;
    }

    bool check(const Schema& schema, const json::value& value) {
        if (schema.never) return refuse("is not taken here", "unknown_field");
        if (!schema.unsupported.empty()) return refuse(schema.unsupported, "unsupported");
        if (schema.types && !(schema.types & type_bits(value))) return refuse("must be " + type_words(schema.types));
        if (!schema.values.empty() && !among(schema.values, value)) return refuse(values_rule(schema.values));
        return check_kind(schema, value) && check_parts(schema, value);
    }

    bool check_kind(const Schema& schema, const json::value& value) {
        if (value.is_string()) return check_string(schema, value.get_string());
        if (value.is_number()) return check_number(schema, value.to_number<double>());
        if (value.is_array()) return check_array(schema, value.get_array());
        if (value.is_object()) return check_object(schema, value.get_object());
        return true;
    }

    bool check_parts(const Schema& schema, const json::value& value) {
        for (const auto* part : schema.all)
            if (!check(*part, value)) return false;
        if (!schema.any.empty() && !check_any(schema.any, value)) return false;
        if (!schema.one.empty() && !check_one(schema.one, value)) return false;
        if (!schema.negated || Checker().run(*schema.negated, value)) return true;
        return refuse("has a form that is not taken");
    }

    bool check_string(const Schema& schema, std::string_view text) {
        if (schema.length_min == 0 && schema.length_max == SIZE_MAX && !schema.pattern) return true;
        auto length = characters(text);
        if (length < schema.length_min)
            return refuse(schema.length_min == 1
                              ? "must not be empty"
                              : "must have at least " + std::to_string(schema.length_min) + " characters");
        if (length > schema.length_max)
            return refuse("must have at most " + std::to_string(schema.length_max) + " characters");
        if (schema.pattern && !boost::regex_search(text.begin(), text.end(), *schema.pattern))
            return refuse("must have the form " + schema.pattern_text);
        return true;
    }

    bool check_number(const Schema& schema, double number) {
        if (schema.minimum && number < *schema.minimum)
            return refuse("must be at least " + number_text(*schema.minimum));
        if (schema.maximum && number > *schema.maximum)
            return refuse("must be at most " + number_text(*schema.maximum));
        if (schema.above && number <= *schema.above) return refuse("must be above " + number_text(*schema.above));
        if (schema.below && number >= *schema.below) return refuse("must be below " + number_text(*schema.below));
        if (schema.multiple && std::remainder(number, *schema.multiple) != 0)
            return refuse("must be a multiple of " + number_text(*schema.multiple));
        return true;
    }

    bool check_array(const Schema& schema, const json::array& list) {
        if (list.size() < schema.items_min)
            return refuse(schema.items_min == 1 ? "must not be empty"
                                                : "must have at least " + std::to_string(schema.items_min) + " items");
        if (list.size() > schema.items_max)
            return refuse("must have at most " + std::to_string(schema.items_max) + " items");
        if (!schema.items) return true;
        for (std::size_t i = 0; i < list.size(); ++i)
            if (!check_at({{}, i, true}, *schema.items, list[i])) return false;
        return true;
    }

    bool check_object(const Schema& schema, const json::object& object) {
        if (object.size() < schema.properties_min) return refuse("has too few fields");
        if (object.size() > schema.properties_max)
            return refuse("must have at most " + std::to_string(schema.properties_max) + " fields");
        for (const auto& [key, value] : object) {
            Place place{std::string_view(key)};
            if (schema.names && !check_at(place, *schema.names, json::value(key))) return false;
            auto found = schema.properties.find(place.key);
            const auto* part = found != schema.properties.end() ? found->second : schema.additional;
            if (part && !check_at(place, *part, value)) return false;
        }
        for (const auto& key : schema.required)
            if (!object.contains(key)) return refuse_at({key}, "is missing");
        return true;
    }

    // The alternative that went furthest knows best what was meant.
    std::size_t count_fitting(const std::vector<const Schema*>& parts, const json::value& value) {
        std::size_t fitting = 0;
        std::optional<SchemaFault> best;
        unsigned types = 0;
        for (const auto* part : parts) {
            types |= part->types;
            if (check(*part, value)) {
                ++fitting;
                continue;
            }
            auto reach = std::pair(fault_->depth, fault_->place);
            if (!best || reach > std::pair(best->depth, best->place)) best = std::move(fault_);
        }
        fault_.reset();
        if (fitting > 0) return fitting;
        bool known = !(types & type_bits(value));
        if (best->depth == places_.size() && types && known) best->rule = "must be " + type_words(types);
        fault_ = std::move(best);
        return 0;
    }

    bool check_any(const std::vector<const Schema*>& parts, const json::value& value) {
        return count_fitting(parts, value) > 0;
    }

    bool check_one(const std::vector<const Schema*>& parts, const json::value& value) {
        auto fitting = count_fitting(parts, value);
        if (fitting > 1) return refuse("may have one of the documented forms only, not several at once");
        return fitting == 1;
    }

    static bool among(const std::vector<json::value>& values, const json::value& value) {
        for (const auto& each : values)
            if (equal(each, value)) return true;
        return false;
    }

    static std::string values_rule(const std::vector<json::value>& values) {
        std::string text = values.size() == 1 ? "must be " : "must be one of ";
        for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ", ") + json::serialize(values[i]);
        return text;
    }

    std::vector<Place> places_;
    std::optional<SchemaFault> fault_;
};

}  // namespace

std::optional<SchemaFault> find_fault(const Schema& schema, const json::value& value) {
    return Checker().run(schema, value);
}

}  // namespace rootstock
