#include "infer/constrain/schema/json_text.h"

#include "data/data.h"

namespace rootstock::constrain {

namespace {

constexpr std::pair<std::int32_t, char> short_escapes[] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                                           {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};

const CharacterSet& without_escape() {
    static const CharacterSet set = CharacterSet{{0x20, code_point_max}}.without({{'"', '"'}, {'\\', '\\'}});
    return set;
}

std::string escape_of(std::int32_t character) {
    for (const auto& [escaped, letter] : short_escapes)
        if (escaped == character) return std::string("\\") + letter;
    constexpr char digits[] = "0123456789abcdef";
    return std::string("\\u00") + digits[character / 16] + digits[character % 16];
}

Part hexadecimal(std::uint8_t low, std::uint8_t high) {
    CharacterSet set;
    for (int value = low; value <= high; ++value) {
        const int lower = value < 10 ? '0' + value : 'a' + value - 10, upper = value < 10 ? lower : 'A' + value - 10;
        set.add(lower, lower), set.add(upper, upper);
    }
    return characters(set);
}

Part unit(std::int32_t low, std::int32_t high) {
    std::vector<Part> ways;
    each_digit_sequence(low, high, 4, 4, [&](std::span<const ByteRange> digits) {
        std::vector<Part> parts{text("\\u")};
        for (const auto& range : digits) parts.push_back(hexadecimal(range.low, range.high));
        ways.push_back(sequence(std::move(parts)));
    });
    return choice(std::move(ways));
}

Part digits(int min, int max) { return repeat(digit(), min, max); }
Part digits_without_zero(int max) {
    return choice({text("0"), sequence({characters({{'1', '9'}}), digits(0, max - 1)})});
}

}  // namespace

Part string_character(const CharacterSet& set) {
    std::vector<Part> ways{characters(set.both(without_escape()))};
    const auto escaped = set.both({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
    for (const auto& range : escaped.ranges())
        for (auto character = range.low; character <= range.high; ++character)
            ways.push_back(text(escape_of(character)));
    return choice(std::move(ways));
}

Part any_string_character() {
    static const Part part = choice(
        {characters(without_escape()),
         sequence(
             {text("\\"),
              characters(
                  {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}})}),
         unit(0, 0xD7FF), unit(0xE000, 0xFFFF), sequence({unit(0xD800, 0xDBFF), unit(0xDC00, 0xDFFF)})});
    return part;
}

Part quoted(Part characters) { return sequence({text("\""), std::move(characters), text("\"")}); }

std::string spelled(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const auto character = decode_utf8(text);
        ROOTSTOCK_CHECK(character.length > 0, "JSON that was read is valid UTF-8");
        if (without_escape().contains(character.code_point))
            out += text.substr(0, character.length);
        else
            out += escape_of(character.code_point);
        text.remove_prefix(character.length);
    }
    return out += '"';
}

Part digit() {
    static const Part part = characters({{'0', '9'}});
    return part;
}

Part any_integer() { return sequence({maybe(text("-")), digits_without_zero(18)}); }

Part any_number() {
    const auto exponent = choice(
        {digits(1, 2), sequence({text("1"), digits(2, 2)}), sequence({text("2"), characters({{'0', '8'}}), digit()})});
    return sequence({any_integer(), maybe(sequence({text("."), digits(1, 20)})),
                     maybe(sequence({characters({{'e', 'e'}, {'E', 'E'}}), maybe(characters({{'+', '+'}, {'-', '-'}})),
                                     exponent}))});
}

Part JsonRules::once(int& rule, Part body) {
    if (rule < 0) {
        rule = rules_.add();
        rules_.define(rule, std::move(body));
    }
    return call(rule);
}

Part JsonRules::space() {
    const auto lines = sequence({text("\n"), choice({repeat(text(" "), 0, 40), repeat(text("\t"), 1, 10)})});
    return maybe(once(space_, choice({text(" "), lines})));
}

Part JsonRules::comma() { return sequence({text(","), space()}); }
Part JsonRules::member(Part key, Part value) {
    return sequence({std::move(key), text(":"), space(), std::move(value)});
}

Part JsonRules::list(char open, Part items, char close) {
    return sequence({text(std::string(1, open)), space(), std::move(items), space(), text(std::string(1, close))});
}

Part JsonRules::string() { return once(string_, quoted(repeat(any_string_character(), 0, without_end))); }
Part JsonRules::number() { return once(number_, any_number()); }
Part JsonRules::integer() { return once(integer_, any_integer()); }
Part JsonRules::boolean() { return once(boolean_, choice({text("true"), text("false")})); }

Part JsonRules::value(int depth) {
    const auto at = static_cast<std::size_t>(depth);
    if (values_.size() <= at) values_.resize(at + 1, -1);
    if (values_[at] >= 0) return call(values_[at]);
    std::vector<Part> ways{string(), number(), boolean(), text("null")};
    if (depth > 0) ways.push_back(object(depth)), ways.push_back(array(depth));
    const int rule = rules_.add();
    rules_.define(rule, choice(std::move(ways)));
    values_[at] = rule;
    return call(rule);
}

Part JsonRules::object(int depth) {
    const auto at = static_cast<std::size_t>(depth);
    if (objects_.size() <= at) objects_.resize(at + 1, -1);
    if (objects_[at] >= 0) return call(objects_[at]);
    const auto one = member(string(), value(depth - 1));
    const auto body = list('{', maybe(sequence({one, repeat(sequence({comma(), one}), 0, without_end)})), '}');
    objects_[at] = rules_.add();
    rules_.define(objects_[at], body);
    return call(objects_[at]);
}

Part JsonRules::array(int depth) {
    const auto at = static_cast<std::size_t>(depth);
    if (arrays_.size() <= at) arrays_.resize(at + 1, -1);
    if (arrays_[at] >= 0) return call(arrays_[at]);
    const auto one = value(depth - 1);
    const auto body = list('[', maybe(sequence({one, repeat(sequence({comma(), one}), 0, without_end)})), ']');
    arrays_[at] = rules_.add();
    rules_.define(arrays_[at], body);
    return call(arrays_[at]);
}

}  // namespace rootstock::constrain
