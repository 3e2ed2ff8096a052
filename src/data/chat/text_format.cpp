#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/chat/access.h"
#include "data/chat/python_text.h"
#include "data/chat/text_methods.h"
#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

constexpr int width_max = 1000;

// Flags, width, precision and letter of one place to fill.
struct Form {
    bool left = false, zeros = false, plus = false;
    int width = 0, precision = -1;
    char letter = 's';
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Result<int> small_number(std::string_view& rest) {
    int number = 0;
    while (!rest.empty() && is_digit(rest.front())) {
        number = number * 10 + (rest.front() - '0');
        if (number > width_max) return fault(fmt::format("a width or precision above {} is not known here", width_max));
        rest.remove_prefix(1);
    }
    return number;
}

Result<Form> read_form(std::string_view& rest, std::string_view letters) {
    Form form;
    for (; !rest.empty() && std::string_view("-<>+0").find(rest.front()) != std::string_view::npos;
         rest.remove_prefix(1)) {
        form.left = form.left || rest.front() == '-' || rest.front() == '<';
        form.zeros = form.zeros || rest.front() == '0';
        form.plus = form.plus || rest.front() == '+';
    }
    ROOTSTOCK_TRY(width, small_number(rest));
    form.width = width;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        ROOTSTOCK_TRY(precision, small_number(rest));
        form.precision = precision;
    }
    if (rest.empty() || letters.find(rest.front()) == std::string_view::npos)
        return fail(ErrorCode::unsupported, fmt::format("a format pattern may use the letters {} only", letters));
    form.letter = rest.front();
    rest.remove_prefix(1);
    return form;
}

Result<std::string> whole_text(const Value& value, const Form& form) {
    std::int64_t whole = 0;
    if (!value.whole(whole)) {
        double real = value.as_double();
        if (!value.real() || form.letter != 'd' || !(std::fabs(real) < 9e18))
            return fault(
                fmt::format("the format letter '{}' needs a whole number, not a {}", form.letter, value.type_name()));
        whole = static_cast<std::int64_t>(real);
    }
    auto size = whole < 0 ? 0 - static_cast<std::uint64_t>(whole) : static_cast<std::uint64_t>(whole);
    std::string digits = form.letter == 'x'   ? fmt::format("{:x}", size)
                         : form.letter == 'X' ? fmt::format("{:X}", size)
                                              : fmt::format("{}", size);
    return (whole < 0 ? "-" : form.plus ? "+" : "") + digits;
}

Result<std::string> filled_in(Work& work, const Value& value, const Form& form) {
    if (value.is_undefined() && form.letter != 's') return fail_undefined(value);
    if (form.letter == 's') {
        ROOTSTOCK_TRY(text, text_of(work, value));
        if (form.precision >= 0 && count_code_points(text) > static_cast<std::size_t>(form.precision)) {
            std::size_t end = 0;
            for (int i = 0; i < form.precision; ++i) end += decode_utf8(std::string_view(text).substr(end)).length;
            text.resize(end);
        }
        return std::move(text);
    }
    if (form.letter != 'f') return whole_text(value, form);
    if (!value.is_number())
        return fault(fmt::format("the format letter 'f' needs a number, not a {}", value.type_name()));
    int precision = form.precision < 0 ? 6 : form.precision;
    return fmt::format("{}{:.{}f}", form.plus && value.as_double() >= 0 ? "+" : "", value.as_double(), precision);
}

std::string padded(std::string text, const Form& form, bool left) {
    auto length = static_cast<int>(count_code_points(text));
    if (length >= form.width) return text;
    auto missing = static_cast<std::size_t>(form.width - length);
    if (left) return text + std::string(missing, ' ');
    std::size_t sign = form.zeros && (text.starts_with('-') || text.starts_with('+')) ? 1 : 0;
    return text.insert(sign, missing, form.zeros ? '0' : ' ');
}

// Which value a pair of braces means: by number, by name, or the next.
Result<Value> chosen(Work& work, std::string_view name, const GivenArguments& given, std::size_t& next) {
    auto dot = name.find_first_of(".[");
    if (dot != std::string_view::npos)
        return fail(ErrorCode::unsupported, "members inside the braces of format are not known here; pass the member");
    if (name.empty() || is_digit(name.front())) {
        std::size_t place = next;
        if (name.empty())
            ++next;
        else if (std::from_chars(name.data(), name.data() + name.size(), place).ec != std::errc())
            return fault("the number inside the braces of format is too large");
        if (place < given.placed.size()) return given.placed[place];
        return fault("format has fewer values than pairs of braces");
    }
    ROOTSTOCK_CHECKED(work.spend(given.named.size()));
    for (const auto& [key, value] : given.named)
        if (key == name) return value;
    return fault(fmt::format("format has no value named '{}'", name.substr(0, 40)));
}

}  // namespace

Result<Value> percent_format(Work& work, std::string_view pattern, const Value& values) {
    bool several = values.list() && values.list()->is_tuple();
    std::size_t used = 0;
    std::string made;
    for (auto rest = pattern; !rest.empty();) {
        auto place = std::min(rest.find('%'), rest.size());
        made += rest.substr(0, place);
        rest.remove_prefix(place);
        if (rest.empty()) break;
        rest.remove_prefix(1);
        if (rest.starts_with('%')) {
            made += '%';
            rest.remove_prefix(1);
            continue;
        }
        Value value = values;
        if (rest.starts_with('(')) {
            auto close = rest.find(')');
            if (close == std::string_view::npos || !values.dict()) return fault("%(name)s needs a dict of values");
            const auto* held = values.dict()->find(rest.substr(1, close - 1));
            if (!held) return fault("% finds no value of that name");
            value = *held;
            rest.remove_prefix(close + 1);
        } else {
            if (several ? used >= values.list()->items.size() : used > 0)
                return fault("% has fewer values than places");
            if (several) value = values.list()->items[used];
            ++used;
        }
        ROOTSTOCK_TRY(form, read_form(rest, "sdifxX"));
        if (form.letter == 'i') form.letter = 'd';
        ROOTSTOCK_TRY(text, filled_in(work, value, form));
        if (form.letter == 's') form.zeros = false;
        made += padded(std::move(text), form, form.left);
        ROOTSTOCK_CHECKED(work.spend(1 + text.size() / 16));
        if (made.size() > work.limits().output_bytes_max) ROOTSTOCK_CHECKED(work.handle(made.size()));
    }
    if (several && used < values.list()->items.size()) return fault("% has more values than places");
    if (!several && used == 0 && !values.dict()) return fault("% has a value but no place for it");
    return work.text(std::move(made));
}

Result<Value> brace_format(Work& work, std::string_view pattern, const GivenArguments& given) {
    std::size_t next = 0;
    std::string made;
    for (auto rest = pattern; !rest.empty();) {
        char c = rest.front();
        if (c != '{' && c != '}') {
            auto place = std::min(rest.find_first_of("{}"), rest.size());
            made += rest.substr(0, place);
            rest.remove_prefix(place);
            continue;
        }
        if (rest.size() > 1 && rest[1] == c) {
            made += c;
            rest.remove_prefix(2);
            continue;
        }
        auto close = rest.find('}');
        if (c == '}' || close == std::string_view::npos) return fault("a brace in a format pattern has no partner");
        auto inside = rest.substr(1, close - 1);
        rest.remove_prefix(close + 1);
        auto colon = std::min(inside.find(':'), inside.size());
        if (inside.find_first_of("{!") != std::string_view::npos)
            return fail(ErrorCode::unsupported, "! and braces inside braces are not known in format here");
        ROOTSTOCK_TRY(value, chosen(work, inside.substr(0, colon), given, next));
        Form form;
        bool is_text = value.text() || value.list() || value.dict();
        if (colon + 1 < inside.size()) {
            std::string spec(inside.substr(colon + 1));
            if (is_digit(spec.back())) spec += !value.is_number() ? 's' : value.real() ? 'f' : 'd';
            if (value.real() && spec.find_first_of("f") == std::string::npos)
                return fail(ErrorCode::unsupported, "a float in format needs a pattern such as {:.2f} here");
            std::string_view left = spec;
            ROOTSTOCK_TRY(read, read_form(left, "sdfxX"));
            if (!left.empty()) return fault("a format pattern goes on after its letter");
            form = read;
            if (form.letter == 's' && !is_text && !value.is_undefined())
                return fault(fmt::format("the format letter 's' needs a text, not a {}", value.type_name()));
            if (form.letter == 'd' && !value.is_integer() && !value.boolean())
                return fault("the format letter 'd' needs a whole number");
            if (!is_text && inside.find('<') == std::string_view::npos)
                form.left = false;
            else if (is_text && inside.find('>') == std::string_view::npos)
                form.left = true;
        }
        ROOTSTOCK_TRY(text, filled_in(work, value, form));
        made += padded(std::move(text), form, form.left);
        ROOTSTOCK_CHECKED(work.spend(1 + made.size() / 64));
        if (made.size() > work.limits().output_bytes_max) ROOTSTOCK_CHECKED(work.handle(made.size()));
    }
    return work.text(std::move(made));
}

}  // namespace rootstock::chat
