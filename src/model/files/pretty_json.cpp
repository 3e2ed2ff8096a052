#include "model/files/pretty_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace rootstock {

namespace {

void print(const json::value& value, std::size_t depth, std::string& out);

// Items between brackets, one a line; an empty list stays on its line.
template <typename Items, typename PrintItem>
void print_items(const Items& items, char open, char close, std::size_t depth, std::string& out, PrintItem print_item) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
        out += first ? "\n" : ",\n";
        out.append(2 * (depth + 1), ' ');
        print_item(item);
        first = false;
    }
    if (!first) out.append(1, '\n').append(2 * depth, ' ');
    out += close;
}

void print_object(const json::object& object, std::size_t depth, std::string& out) {
    std::vector<const json::key_value_pair*> fields;
    for (const auto& field : object) fields.push_back(&field);
    std::ranges::sort(fields, {}, [](const auto* field) { return field->key(); });
    print_items(fields, '{', '}', depth, out, [&](const auto* field) {
        out += json::serialize(json::value(field->key())) + ": ";
        print(field->value(), depth + 1, out);
    });
}

// The shortest digits that read back as the same number: 0.5, not 5E-1.
std::string number_text(double number) {
    if (!std::isfinite(number)) return "null";  // JSON has no word for it
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    std::string text(digits, end);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

// A list of numbers stays on one line: nobody reads logits downwards.
bool all_numbers(const json::array& array) {
    return std::ranges::all_of(array, [](const json::value& item) { return item.is_number(); });
}

void print_numbers(const json::array& array, std::string& out) {
    out += '[';
    for (const auto& item : array) {
        if (&item != array.data()) out += ", ";
        print(item, 0, out);
    }
    out += ']';
}

void print(const json::value& value, std::size_t depth, std::string& out) {
    if (const auto* object = value.if_object()) return print_object(*object, depth, out);
    if (const auto* number = value.if_double()) {
        out += number_text(*number);
        return;
    }
    const auto* array = value.if_array();
    if (!array) {
        out += json::serialize(value);
    } else if (all_numbers(*array)) {
        print_numbers(*array, out);
    } else {
        print_items(*array, '[', ']', depth, out, [&](const json::value& item) { print(item, depth + 1, out); });
    }
}

}  // namespace

std::string pretty_json(const json::value& value) {
    std::string out;
    print(value, 0, out);
    return out + "\n";
}

}  // namespace rootstock
