#include "data/chat/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/chat/string_literal.h"
#include "data/chat/unicode.h"

namespace rootstock::chat {
namespace {

using Kind = Token::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

// One kind of line end, and none at the very end of the file.
std::string with_plain_line_ends(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\r') {
            plain += '\n';
            if (at + 1 < text.size() && text[at + 1] == '\n') ++at;
        } else
            plain += text[at];
    }
    if (plain.ends_with('\n')) plain.pop_back();
    return plain;
}

class Lexer {
public:
    explicit Lexer(std::string_view text) : held_(with_plain_line_ends(text)), text_(held_) {}

    Result<std::vector<Token>> run() {
        while (at_ < text_.size()) ROOTSTOCK_CHECKED(next_tag());
        add(Kind::end, "");
        return std::move(tokens_);
    }

private:
    // The text up to the next tag, and the tag.
    Result<void> next_tag() {
        std::size_t begin = at_;
        while (begin < text_.size() && !is_tag(begin)) {
            begin = text_.find('{', begin + 1);
            if (begin == std::string_view::npos) begin = text_.size();
        }
        if (begin == text_.size()) {
            add(Kind::data, text_.substr(at_));
            move_to(begin);
            return {};
        }
        char type = text_[begin + 1];
        char sign = sign_at(begin + 2);
        add_data_before_tag(begin, type, sign);
        move_to(begin + (sign ? 3 : 2));
        if (type == '#') return skip_comment();
        if (type == '%' && skip_raw_begin()) return raw_block();
        add(type == '{' ? Kind::print_begin : Kind::block_begin, "");
        return expression(type == '{');
    }

    bool is_tag(std::size_t place) const {
        if (place + 1 >= text_.size() || text_[place] != '{') return false;
        char c = text_[place + 1];
        return c == '{' || c == '%' || c == '#';
    }

    char sign_at(std::size_t place) const {
        return place < text_.size() && (text_[place] == '-' || text_[place] == '+') ? text_[place] : '\0';
    }

    void add_data_before_tag(std::size_t end, char type, char sign) {
        auto data = text_.substr(at_, end - at_);
        if (sign == '-')
            data = strip_right(data);
        else if (sign != '+' && type != '{') {
            bool line_begins = at_ == 0 || text_[at_ - 1] == '\n';
            auto line_end = data.rfind('\n');
            std::size_t begin = line_end == std::string_view::npos ? 0 : line_end + 1;
            if ((begin > 0 || line_begins) && strip_left(data.substr(begin)).empty()) data = data.substr(0, begin);
        }
        if (!data.empty()) add(Kind::data, data);
    }

    Result<void> skip_comment() {
        auto end = text_.find("#}", at_);
        if (end == std::string_view::npos) return mistake(line_, "the comment is not closed; write #}");
        char sign = end > at_ ? sign_at(end - 1) : '\0';
        move_to(end + 2);
        trim_after(sign, true);
        return {};
    }

    // What goes after a tag: everything white with -, one line end after a block or comment without +.
    void trim_after(char sign, bool one_line_end) {
        if (sign == '-')
            skip_white_space();
        else if (sign != '+' && one_line_end && at_ < text_.size() && text_[at_] == '\n')
            move_to(at_ + 1);
    }

    void skip_white_space() { move_to(text_.size() - strip_left(text_.substr(at_)).size()); }

    // "raw %}" at this place.
    bool skip_raw_begin() {
        std::size_t place = text_.size() - strip_left(text_.substr(at_)).size();
        if (!text_.substr(place).starts_with("raw")) return false;
        place = text_.size() - strip_left(text_.substr(place + 3)).size();
        char sign = sign_at(place);
        if (sign == '+') return false;
        if (sign) ++place;
        if (!text_.substr(place).starts_with("%}")) return false;
        move_to(place + 2);
        trim_after(sign, false);
        return true;
    }

    Result<void> raw_block() {
        int line = line_;
        for (auto tag = text_.find("{%", at_); tag != std::string_view::npos; tag = text_.find("{%", tag + 2)) {
            char sign = sign_at(tag + 2);
            auto rest = strip_left(text_.substr(tag + (sign ? 3 : 2)));
            if (!rest.starts_with("endraw")) continue;
            rest = strip_left(rest.substr(6));
            char end_sign = sign_at(text_.size() - rest.size());
            if (end_sign) rest.remove_prefix(1);
            if (!rest.starts_with("%}")) continue;
            add_data_before_tag(tag, '%', sign);
            move_to(text_.size() - rest.size() + 2);
            trim_after(end_sign, true);
            return {};
        }
        return mistake(line, "the raw block is not closed; write {% endraw %}");
    }

    Result<void> expression(bool print) {
        int line = line_;
        for (;;) {
            skip_white_space();
            if (at_ == text_.size())
                return mistake(line, print ? "the {{ is not closed; write }}" : "the {% is not closed; write %}");
            if (brackets_.empty() && tag_ends(print)) return {};
            ROOTSTOCK_CHECKED(token());
        }
    }

    bool tag_ends(bool print) {
        char sign = sign_at(at_);
        if (print && sign == '+') return false;
        if (!text_.substr(at_ + (sign ? 1 : 0)).starts_with(print ? "}}" : "%}")) return false;
        add(print ? Kind::print_end : Kind::block_end, "");
        move_to(at_ + (sign ? 3 : 2));
        trim_after(sign, !print);
        return true;
    }

    Result<void> token() {
        char c = text_[at_];
        if (is_digit(c)) return number();
        if (is_name_start(c)) {
            auto end = std::find_if_not(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), is_name_part);
            return take(Kind::name, static_cast<std::size_t>(end - text_.begin()));
        }
        if (c == '"' || c == '\'') return string();
        return sign();
    }

    Result<void> take(Kind kind, std::size_t end) {
        add(kind, text_.substr(at_, end - at_));
        move_to(end);
        return {};
    }

    Result<void> number() {
        std::size_t end = digits_end(at_);
        bool real = false;
        if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1]))
            end = digits_end(end + 1), real = true;
        if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
            std::size_t power = end + 1;
            if (sign_at(power)) ++power;
            if (power < text_.size() && is_digit(text_[power])) end = digits_end(power), real = true;
        }
        if (end < text_.size() && is_name_part(text_[end]))
            return mistake(line_, "a number runs into a name; only decimal numbers are known, put a space between");
        return take(real ? Kind::real : Kind::integer, end);
    }

    std::size_t digits_end(std::size_t place) const {
        while (place < text_.size() && (is_digit(text_[place]) || (text_[place] == '_' && place + 1 < text_.size() &&
                                                                   is_digit(text_[place + 1]))))
            ++place;
        return place;
    }

    Result<void> string() {
        char quote = text_[at_];
        std::size_t end = at_ + 1;
        while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
        if (end >= text_.size()) return mistake(line_, "a string is not closed; end it with the quote it began with");
        auto meant = unescape(text_.substr(at_ + 1, end - at_ - 1));
        if (!meant) return mistake(line_, meant.error().message);
        add(Kind::string, *meant);
        move_to(end + 1);
        return {};
    }

    Result<void> sign() {
        static constexpr std::string_view two[] = {"//", "**", "==", "!=", ">=", "<="};
        static constexpr std::string_view one = "+-/*%~[](){}<>=.:|,;";
        auto rest = text_.substr(at_);
        bool is_two = std::ranges::any_of(two, [&](auto spelling) { return rest.starts_with(spelling); });
        char c = rest.front();
        if (!is_two && one.find(c) == std::string_view::npos)
            return mistake(line_,
                           "a character stands here that has no meaning in an expression; remove it or quote it");
        if (!is_two) ROOTSTOCK_CHECKED(balance(c));
        return take(Kind::sign, at_ + (is_two ? 2 : 1));
    }

    Result<void> balance(char c) {
        static constexpr std::string_view opening = "([{", closing = ")]}";
        if (auto place = opening.find(c); place != std::string_view::npos)
            brackets_.push_back(closing[place]);
        else if (closing.find(c) != std::string_view::npos) {
            if (brackets_.empty() || brackets_.back() != c)
                return mistake(line_, fmt::format("'{}' closes nothing that is open; check the brackets", c));
            brackets_.pop_back();
        }
        return {};
    }

    void add(Kind kind, std::string_view text) { tokens_.push_back({kind, std::string(text), line_}); }

    void move_to(std::size_t place) {
        auto begin = text_.begin() + static_cast<std::ptrdiff_t>(at_);
        line_ += static_cast<int>(std::count(begin, text_.begin() + static_cast<std::ptrdiff_t>(place), '\n'));
        at_ = place;
    }

    std::string held_;
    std::string_view text_;
    std::size_t at_ = 0;
    int line_ = 1;
    std::string brackets_;  // what must close, innermost last
    std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> cut(std::string_view text) { return Lexer(text).run(); }

std::unexpected<Error> mistake(int line, std::string_view sentence) {
    return fail(ErrorCode::invalid_argument, fmt::format("line {}: {}", line, sentence), {}, "chat_template_syntax");
}

}  // namespace rootstock::chat
