// From Oniguruma's Ruby syntax to PCRE2's. Both share most of it; what differs:
//   \s \w (and \S \W, \b \B)  by Unicode properties that PCRE2 10 defines a little differently
//   \h \H                     a hexadecimal digit, where PCRE2 means horizontal space
//   \uHHHH                    a code point
//   (?m:                      the dot matches line feeds, PCRE2's (?s:  (^ and $ match at lines always)
//   [a[bc]] [a&&b]            sets within sets: not translated, refused

#include <unicode/uchar.h>

#include <algorithm>

#include "data/text/pattern_tables.h"
#include "data/tokenizer/pattern.h"

namespace rootstock {
namespace {

// Property White_Space.
constexpr std::string_view space =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

std::string range_text(std::int32_t first, std::int32_t last) {
    return fmt::format("\\x{{{:X}}}-\\x{{{:X}}}", first, last);
}

// The characters of a category or script that PCRE2's tables do not know yet, as members of a set. (Scripts as far as
// ICU's tables go.)
std::string newer_members(std::string_view property) {
    std::string name(property), members;
    auto categories = u_getPropertyValueEnum(UCHAR_GENERAL_CATEGORY_MASK, name.c_str());
    auto script = u_getPropertyValueEnum(UCHAR_SCRIPT, name.c_str());
    for (const auto& newer : newer_characters()) {
        if (categories != UCHAR_INVALID_CODE) {
            auto own = u_getPropertyValueEnum(UCHAR_GENERAL_CATEGORY_MASK, newer.category);
            if (categories & own) members += range_text(newer.first, newer.last);
        } else if (script != UCHAR_INVALID_CODE && u_getIntPropertyValue(newer.first, UCHAR_SCRIPT) == script) {
            members += range_text(newer.first, newer.last);
        }
    }
    return members;
}

std::string with_newer(std::string_view property) {
    return "\\p{" + std::string(property) + "}" + newer_members(property);
}

// Oniguruma's word characters.
const std::string& word_members() {
    static const std::string members = [] {
        std::string all;
        for (const auto* category : {"L", "M", "Nd", "Nl", "Pc"}) all += with_newer(category);
        for (const auto& more : more_word_characters()) all += range_text(more.first, more.last);
        return all;
    }();
    return members;
}

class Translation {
public:
    explicit Translation(std::string_view in) : in_(in) {}

    Result<std::string> run() {
        while (at_ < in_.size()) {
            if (in_[at_] == '\\') {
                ROOTSTOCK_CHECKED(escape());
            } else if (in_class_) {
                ROOTSTOCK_CHECKED(class_character());
            } else if (in_[at_] == '[') {
                open_class();
            } else if (in_.substr(at_).starts_with("(?")) {
                group();
            } else {
                out_ += in_[at_++];
            }
        }
        return std::move(out_);
    }

private:
    void open_class() {
        in_class_ = true;
        out_ += in_[at_++];
        if (at_ < in_.size() && in_[at_] == '^') out_ += in_[at_++];
        if (at_ < in_.size() && in_[at_] == ']') out_ += "\\]", ++at_;  // a bracket at once is itself
    }

    Result<void> class_character() {
        auto rest = in_.substr(at_);
        if (rest.starts_with("[:")) {
            auto end = rest.find(":]");
            if (end == std::string_view::npos) return fail(ErrorCode::unsupported, "holds a set within a set");
            out_ += rest.substr(0, end + 2);
            at_ += end + 2;
            return {};
        }
        if (rest[0] == '[')
            return fail(ErrorCode::unsupported, "holds a set within a set, which this build does not read");
        if (rest.starts_with("&&"))
            return fail(ErrorCode::unsupported, "intersects sets with &&, which this build does not read");
        if (rest[0] == ']') in_class_ = false;
        out_ += in_[at_++];
        return {};
    }

    // "(?im-x:" and "(?m)"; others stay as they are.
    void group() {
        out_ += "(?";
        at_ += 2;
        auto flags = in_.substr(at_, in_.find_first_not_of("imx-", at_) - at_);
        auto end = at_ + flags.size();
        if (end >= in_.size() || (in_[end] != ':' && in_[end] != ')')) return;
        for (char flag : flags) out_ += flag == 'm' ? 's' : flag;
        at_ = end;
    }

    void set(std::string_view members, bool negated) {
        if (in_class_ && negated) return;  // handled by the caller
        if (in_class_)
            out_ += members;
        else
            (out_ += negated ? "[^" : "[") += std::string(members) + "]";
    }

    Result<void> negated_in_class(char letter) {
        // PCRE2 has no "everything but" inside a set other than its own \S and \W, which differ in a few characters.
        if (letter == 'S')
            out_ +=
                R"(\x{00}-\x{08}\x{0E}-\x{1F}!-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";
        else
            return fail(ErrorCode::unsupported,
                        std::string("holds \\") + letter + " within a set, which this build does not read");
        return {};
    }

    Result<void> escape() {
        if (at_ + 1 >= in_.size()) return fail(ErrorCode::corrupt, "ends in a backslash");
        char letter = in_[at_ + 1];
        at_ += 2;
        constexpr std::string_view hexadecimal = "0-9A-Fa-f";
        switch (letter) {
            case 's':
                set(space, false);
                return {};
            case 'w':
                set(word_members(), false);
                return {};
            case 'h':
                set(hexadecimal, false);
                return {};
            case 'p':
            case 'P':
                property(letter == 'P');
                return {};
            case 'S':
            case 'W':
            case 'H':
                if (in_class_) return negated_in_class(letter);
                set(letter == 'S' ? space : letter == 'W' ? std::string_view(word_members()) : hexadecimal, true);
                return {};
            case 'b':
            case 'B':
                if (in_class_) break;
                boundary(letter == 'b');
                return {};
            case 'u':
                if (at_ + 4 > in_.size()) return fail(ErrorCode::corrupt, "ends within \\u");
                (out_ += "\\x{") += std::string(in_.substr(at_, 4)) + "}";
                at_ += 4;
                return {};
            default:
                break;
        }
        (out_ += '\\') += letter;
        return {};
    }

    // "{L}", "{^L}" or one letter, after \\p or \\P.
    void property(bool negated) {
        auto rest = in_.substr(at_);
        bool braces = rest.starts_with('{');
        auto end = braces ? rest.find('}') : std::min<std::size_t>(rest.size(), 1);
        auto name = braces ? rest.substr(1, end == std::string_view::npos ? end : end - 1) : rest.substr(0, end);
        at_ += end == std::string_view::npos ? rest.size() : end + braces;
        if (name.starts_with('^')) {
            negated = !negated;
            name.remove_prefix(1);
        }
        if (in_class_ && negated)
            out_ += "\\P{" + std::string(name) + "}";
        else if (auto newer = newer_members(name); newer.empty() || in_class_)
            out_ += (negated ? "\\P{" : "\\p{") + std::string(name) + "}" + newer;
        else
            set(with_newer(name), negated);
    }

    void boundary(bool yes) {
        std::string in = "[" + word_members() + "]";
        out_ += yes ? "(?:(?<=" + in + ")(?!" + in + ")|(?<!" + in + ")(?=" + in + "))"
                    : "(?:(?<=" + in + ")(?=" + in + ")|(?<!" + in + ")(?!" + in + "))";
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
    bool in_class_ = false;
};

}  // namespace

Result<std::string> translate_pattern(std::string_view expression) { return Translation(expression).run(); }

}  // namespace rootstock
