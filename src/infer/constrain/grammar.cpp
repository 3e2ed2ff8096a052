#include <algorithm>
#include <map>

#include "infer/constrain/doors.h"

namespace rootstock::constrain {

namespace {

constexpr int count_max = 100'000;
constexpr int depth_max = 100;

// Reads docs/formats/grammar.md.
class GrammarReader {
public:
    GrammarReader(std::string_view text, Rules& rules, Budget& budget) : text_(text), rules_(rules), budget_(budget) {
        check_size(text.size(), "the grammar");
        if (const auto bad = find_invalid_utf8(text); bad != std::string_view::npos)
            refuse(ErrorCode::invalid_argument, "the grammar is not valid UTF-8 at byte " + std::to_string(bad),
                   "constraint_invalid");
        names_["root"].rule = 0;
    }

    void read() {
        skip_space();
        while (at_ < text_.size()) rule();
        for (const auto& [name, known] : names_)
            if (!known.defined)
                refuse(ErrorCode::invalid_argument,
                       "the grammar has no rule \"" + name + "\"; write " + name + " ::= ...", "constraint_invalid");
    }

private:
    struct Known {
        int rule = -1;
        bool defined = false;
    };

    [[noreturn]] void wrong(const std::string& what) const {
        const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
        refuse(ErrorCode::invalid_argument, what + " in line " + std::to_string(line) + " of the grammar",
               "constraint_invalid");
    }

    bool looking_at(std::string_view sign) const { return text_.substr(at_).starts_with(sign); }
    bool skip(std::string_view sign) {
        if (!looking_at(sign)) return false;
        at_ += sign.size();
        return true;
    }
    // Space, ends of lines, and comments up to those.
    void skip_space() {
        while (at_ < text_.size()) {
            if (text_[at_] == '#')
                at_ = std::min(text_.find('\n', at_), text_.size());
            else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
                ++at_;
            else
                return;
        }
    }

    static bool in_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }
    std::string_view name() {
        const auto begin = at_;
        while (at_ < text_.size() && in_name(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    // "name ::=" begins the next rule.
    bool at_rule() {
        const auto begin = at_;
        const bool named = !name().empty();
        skip_space();
        const bool found = named && looking_at("::=");
        at_ = begin;
        return found;
    }

    int rule_of(std::string_view name) {
        auto& known = names_[std::string(name)];
        if (known.rule < 0) known.rule = rules_.add();
        return known.rule;
    }

    void rule() {
        if (!at_rule()) wrong("a rule begins with name ::= ...;");
        const std::string own(name());
        skip_space();
        skip("::=");
        skip_space();
        auto body = alternatives();
        const int rule = rule_of(own);
        if (std::exchange(names_[own].defined, true))
            wrong("the rule \"" + own + "\" is defined a second time, just before");
        rules_.define(rule, std::move(body));
    }

    Part alternatives() {
        if (++depth_ > depth_max) wrong("groups nest too deep");
        std::vector<Part> parts{together()};
        while (skip("|")) {
            skip_space();
            parts.push_back(together());
        }
        --depth_;
        return choice(std::move(parts));
    }

    Part together() {
        std::vector<Part> parts;
        for (; at_ < text_.size() && !looking_at("|") && !looking_at(")") && !at_rule(); skip_space()) {
            budget_.spend(8);
            auto part = one();
            skip_space();
            while (counted(part)) skip_space();
            parts.push_back(std::move(part));
        }
        return sequence(std::move(parts));
    }

    Part one() {
        if (skip("(")) {
            skip_space();
            auto part = alternatives();
            if (!skip(")")) wrong("a ( is not closed");
            return part;
        }
        if (skip("\"")) return literal();
        if (skip("[")) return bracket();
        if (skip(".")) return characters(CharacterSet::all());
        if (const auto called = name(); !called.empty()) return call(rule_of(called));
        wrong("\"" + std::string(text_.substr(at_, 1)) + "\" begins nothing that a rule may hold;");
    }

    bool counted(Part& part) {
        int min = 0, max = without_end;
        if (skip("+"))
            min = 1;
        else if (skip("?"))
            max = 1;
        else if (skip("{"))
            braces(min, max);
        else if (!skip("*"))
            return false;
        part = repeat(std::move(part), min, max);
        return true;
    }

    void braces(int& min, int& max) {
        min = number();
        max = min;
        if (skip(",")) max = looking_at("}") ? without_end : number();
        if (!skip("}")) wrong("a repetition is written {n}, {n,} or {n,m};");
        if (max != without_end && max < min) wrong("a repetition whose highest count is below its lowest");
    }
    int number() {
        int value = 0;
        const auto begin = at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            value = value * 10 + (text_[at_] - '0');
            if (value > count_max) wrong("a count above " + std::to_string(count_max));
        }
        if (at_ == begin) wrong("a repetition is written {n}, {n,} or {n,m};");
        return value;
    }

    std::int32_t character() {
        if (at_ >= text_.size() || text_[at_] == '\n') wrong("a \" or [ is not closed");
        if (skip("\\")) return escape();
        const auto read = decode_utf8(text_.substr(at_));
        at_ += read.length;
        return read.code_point;
    }
    std::int32_t escape() {
        if (at_ >= text_.size()) wrong("an escape is cut off");
        const char letter = text_[at_++];
        switch (letter) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'x':
                return hexadecimal(2);
            case 'u':
                return hexadecimal(4);
            case 'U':
                return hexadecimal(8);
            default:
                if (std::string_view("\"\\[]-^").find(letter) == std::string_view::npos) wrong("an unknown escape");
                return letter;
        }
    }
    std::int32_t hexadecimal(int digits) {
        std::int64_t value = 0;
        for (; digits > 0; --digits, ++at_) {
            const char c = at_ < text_.size() ? text_[at_] : ' ';
            const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            if (!letter && (c < '0' || c > '9')) wrong("a hexadecimal digit is missing");
            value = value * 16 + (letter ? (c | 0x20) - 'a' + 10 : c - '0');
        }
        if (value > code_point_max || (value >= 0xD800 && value <= 0xDFFF)) wrong("an escape that is no character");
        return static_cast<std::int32_t>(value);
    }

    Part literal() {
        std::string out;
        while (!skip("\"")) append_utf8(out, character());
        budget_.spend(out.size());
        return text(std::move(out));
    }

    Part bracket() {
        const bool opposite = skip("^");
        CharacterSet set;
        while (!skip("]")) {
            budget_.spend(8);
            const auto low = character();
            auto high = low;
            if (looking_at("-") && !looking_at("-]")) {
                ++at_;
                high = character();
            }
            if (high < low) wrong("a range that runs backwards");
            set.add(low, high);
        }
        return characters(opposite ? CharacterSet::all().without(set) : set);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    Rules& rules_;
    Budget& budget_;
    std::map<std::string, Known> names_;
};

}  // namespace

}  // namespace rootstock::constrain

namespace rootstock {

CompiledConstraint compile_grammar(std::string_view grammar, SharedVocabulary vocabulary) {
    using namespace constrain;
    return compiled(std::move(vocabulary),
                    [&](Rules& rules, Budget& budget) { GrammarReader(grammar, rules, budget).read(); });
}

}  // namespace rootstock
