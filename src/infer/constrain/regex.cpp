#include "infer/constrain/regex.h"

#include <algorithm>

#include "infer/constrain/doors.h"

namespace rootstock::constrain {

namespace {

constexpr int count_max = 100'000;  // in {n,m}
constexpr int depth_max = 100;      // groups inside each other

class RegexReader {
public:
    RegexReader(std::string_view pattern, bool found_anywhere, const Spelling& spelling, Budget& budget)
        : text_(pattern), anywhere_(found_anywhere), spelling_(spelling), budget_(budget) {}

    Part read() {
        if (const auto bad = find_invalid_utf8(text_); bad != std::string_view::npos)
            refuse(ErrorCode::invalid_argument,
                   "the regular expression is not valid UTF-8 at byte " + std::to_string(bad), "constraint_invalid");
        std::vector<Part> alternatives{anchored()};
        while (skip("|")) alternatives.push_back(anchored());
        if (!at_end()) wrong("an unmatched )");
        return choice(std::move(alternatives));
    }

private:
    bool at_end() const { return at_ == text_.size(); }
    bool looking_at(std::string_view sign) const { return text_.substr(at_).starts_with(sign); }
    bool skip(std::string_view sign) {
        if (!looking_at(sign)) return false;
        at_ += sign.size();
        return true;
    }
    std::int32_t take() {
        if (at_end()) wrong("it ends too early");
        const auto character = decode_utf8(text_.substr(at_));
        at_ += character.length;
        return character.code_point;
    }

    std::string place() const { return " at byte " + std::to_string(at_) + " of the regular expression"; }
    [[noreturn]] void wrong(const std::string& what) const {
        refuse(ErrorCode::invalid_argument, what + place(), "constraint_invalid");
    }
    [[noreturn]] void unsupported(const std::string& what) const {
        refuse(ErrorCode::invalid_argument, what + place() + " is not supported; write it without",
               "constraint_unsupported");
    }

    // One of the outermost alternatives, where ^ and $ may stand at the ends.
    Part anchored() {
        std::vector<Part> parts;
        bool begins = false;
        while (skip("^") || skip("\\A")) begins = true;
        if (anywhere_ && !begins) parts.push_back(rest());
        parts.push_back(together());
        bool ends = false;
        while (skip("$") || skip("\\Z") || skip("\\z")) ends = true;
        if (!at_end() && !looking_at("|") && !looking_at(")"))
            wrong("$ can only stand at the end of an alternative, not");
        if (anywhere_ && !ends) parts.push_back(rest());
        return sequence(std::move(parts));
    }
    Part rest() { return repeat(spelling_(CharacterSet::all()), 0, without_end); }

    Part alternatives() {
        std::vector<Part> parts{together()};
        while (skip("|")) parts.push_back(together());
        return choice(std::move(parts));
    }

    Part together() {
        std::vector<Part> parts;
        while (!at_end() && !looking_at("|") && !looking_at(")") && !looking_at("$") && !looking_at("\\Z") &&
               !looking_at("\\z")) {
            budget_.spend(8);
            parts.push_back(counted(one()));
        }
        return sequence(std::move(parts));
    }

    Part one() {
        if (looking_at("^") || looking_at("\\A")) wrong("^ can only stand at the beginning of an alternative, not");
        if (skip("(")) return group();
        if (skip("[")) return spelling_(bracket().sure);
        if (skip(".")) return spelling_(CharacterSet::all().without({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
        if (skip("\\")) return spelling_(escape(false).sure);
        for (const auto* sign : {"*", "+", "?", "{"})
            if (looking_at(sign)) wrong(std::string(sign) + " has nothing to repeat");
        const auto character = take();
        return spelling_({{character, character}});
    }

    Part group() {
        if (++depth_ > depth_max) wrong("groups nest too deep");
        if (skip("?")) {
            if (looking_at("=") || looking_at("!")) unsupported("looking ahead, (?= or (?!");
            if (looking_at("<=") || looking_at("<!")) unsupported("looking behind, (?<= or (?<!");
            if (looking_at(">")) unsupported("an atomic group, (?>");
            if (looking_at("P=") || looking_at("P>") || looking_at("(")) unsupported("a reference to a group");
            if (skip("<") || skip("P<")) {
                while (take() != '>') continue;
            } else if (!skip(":")) {
                unsupported("a flag in a group");
            }
        }
        auto part = alternatives();
        if (looking_at("$")) wrong("$ can only stand at the end of the whole expression, not");
        if (!skip(")")) wrong("a ( is not closed");
        --depth_;
        return part;
    }

    Part counted(Part part) {
        int min = 1, max = 1;
        if (skip("*"))
            min = 0, max = without_end;
        else if (skip("+"))
            max = without_end;
        else if (skip("?"))
            min = 0;
        else if (!braces(min, max))
            return part;
        skip("?");  // a lazy one allows the same texts
        for (const auto* sign : {"*", "+", "?", "{"})
            if (looking_at(sign)) {
                if (*sign == '+') unsupported("a possessive repetition");
                wrong("a repetition of a repetition");
            }
        return repeat(std::move(part), min, max);
    }

    bool braces(int& min, int& max) {
        if (!skip("{")) return false;
        const bool has_min = !looking_at(",");
        min = has_min ? number() : 0;
        max = min;
        if (skip(",")) max = looking_at("}") && has_min ? without_end : number();
        if (!skip("}")) wrong("{ that does not begin a repetition {n,m} is written \\{;");
        if (max != without_end && max < min) wrong("a repetition whose highest count is below its lowest");
        return true;
    }

    int number() {
        int value = 0;
        const auto begin = at_;
        for (; !at_end() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            value = value * 10 + (text_[at_] - '0');
            if (value > count_max) wrong("a count above " + std::to_string(count_max));
        }
        if (at_ == begin) wrong("{ that does not begin a repetition {n,m} is written \\{;");
        return value;
    }

    static CharacterClass just(std::int32_t character) { return {{{character, character}}, {{character, character}}}; }

    CharacterClass escape(bool in_bracket) {
        const auto letter = take();
        if (std::string_view("dDwWsS").find(static_cast<char>(letter)) != std::string_view::npos && letter < 128)
            return class_of_letter(static_cast<char>(letter));
        switch (letter) {
            case 't':
                return just('\t');
            case 'n':
                return just('\n');
            case 'r':
                return just('\r');
            case 'f':
                return just('\f');
            case 'v':
                return just('\v');
            case 'x':
                return just(hexadecimal(2));
            case 'u':
                return just(skip("{") ? braced_hexadecimal() : utf16());
            case 'p':
            case 'P':
                return property(letter == 'P');
            case 'b':
                if (in_bracket) return just('\b');
                [[fallthrough]];
            case 'B':
                unsupported("a word boundary, \\b or \\B");
            case 'k':
                unsupported("a reference to a group, \\k");
            default:
                break;
        }
        if (letter >= '1' && letter <= '9')
            unsupported("a reference to a group, \\" + std::string(1, static_cast<char>(letter)));
        if (letter == '0' && (at_end() || text_[at_] < '0' || text_[at_] > '9')) return just(0);
        const bool alphanumeric =
            (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
        if (alphanumeric) unsupported("the escape \\" + std::string(1, static_cast<char>(letter)));
        return just(letter);
    }

    std::int32_t hexadecimal(int digits) {
        std::int32_t value = 0;
        for (; digits > 0; --digits) value = value * 16 + hexadecimal_digit(take());
        return value;
    }
    std::int32_t hexadecimal_digit(std::int32_t c) const {
        if (c >= '0' && c <= '9') return c - '0';
        if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) return (c | 0x20) - 'a' + 10;
        wrong("a hexadecimal digit is missing");
    }
    std::int32_t braced_hexadecimal() {
        std::int32_t value = 0;
        do {
            value = value * 16 + hexadecimal_digit(take());
            if (value > code_point_max) wrong("a character beyond U+10FFFF");
        } while (!skip("}"));
        return value;
    }
    // \uD83D\uDE00 is one character.
    std::int32_t utf16() {
        const auto unit = hexadecimal(4);
        if (unit < 0xD800 || unit > 0xDFFF) return unit;
        if (unit < 0xDC00 && skip("\\u")) {
            const auto low = hexadecimal(4);
            if (low >= 0xDC00 && low <= 0xDFFF) return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
        wrong("half of a surrogate pair");
    }

    CharacterClass property(bool opposite) {
        if (!skip("{")) wrong("\\p without {name}");
        std::string name;
        for (auto c = take(); c != '}'; c = take()) {
            const bool plain = c < 128 && (std::isalnum(static_cast<int>(c)) || c == '_' || c == '=');
            if (!plain || name.size() > 60) wrong("a name in \\p{...} that is none");
            name += static_cast<char>(c);
        }
        auto set = unicode_set("[:" + name + ":]");
        if (set.empty()) unsupported("the class \\p{" + name + "}");
        budget_.spend(set.ranges().size() * 4);
        const CharacterClass made{set, set};
        return opposite ? made.opposite() : made;
    }

    CharacterClass bracket() {
        const bool opposite = skip("^");
        CharacterClass all;
        for (bool first = true; first || !looking_at("]"); first = false) {
            if (first && looking_at("]")) unsupported("an empty class [] or one that begins with ]");
            if (looking_at("[:") || looking_at("&&") || looking_at("[[")) unsupported("a set operation within a class");
            budget_.spend(8);
            const auto one = bracket_item();
            if (text_.substr(at_).size() > 1 && looking_at("-") && text_[at_ + 1] != ']' && is_single(one)) {
                ++at_;
                const auto end = bracket_item();
                if (!is_single(end)) wrong("a range that ends with a class");
                const auto low = one.sure.ranges()[0].low, high = end.sure.ranges()[0].low;
                if (low > high) wrong("a range that runs backwards");
                all.sure.add(low, high), all.possible.add(low, high);
            } else {
                all.sure.add(one.sure), all.possible.add(one.possible);
            }
        }
        ++at_;
        return opposite ? all.opposite() : all;
    }
    CharacterClass bracket_item() {
        if (skip("\\")) return escape(true);
        return just(take());
    }
    static bool is_single(const CharacterClass& one) {
        return one.sure.ranges().size() == 1 && one.sure.ranges()[0].low == one.sure.ranges()[0].high;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool anywhere_;
    const Spelling& spelling_;
    Budget& budget_;
    int depth_ = 0;
};

}  // namespace

Part read_regex(std::string_view pattern, bool found_anywhere, const Spelling& spelling, Budget& budget) {
    check_size(pattern.size(), "the regular expression");
    return RegexReader(pattern, found_anywhere, spelling, budget).read();
}

}  // namespace rootstock::constrain

namespace rootstock {

CompiledConstraint compile_regex(std::string_view pattern, SharedVocabulary vocabulary) {
    using namespace constrain;
    return compiled(std::move(vocabulary), [&](Rules& rules, Budget& budget) {
        rules.define(0, read_regex(
                            pattern, false, [](const CharacterSet& set) { return characters(set); }, budget));
    });
}

}  // namespace rootstock
