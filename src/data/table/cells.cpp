#include "data/table/cells.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>

#include "data/reader/column_names.h"
#include "data/text/utf8.h"

namespace rootstock {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a date from left to right; each step answers whether it fitted.
class DateScan {
public:
    explicit DateScan(std::string_view text) : text_(text) {}

    bool done() const { return at_ == text_.size(); }

    std::optional<int> number(std::size_t digits_min, std::size_t digits_max) {
        std::size_t begin = at_;
        int value = 0;
        while (at_ < text_.size() && is_digit(text_[at_]) && at_ - begin < digits_max)
            value = value * 10 + text_[at_++] - '0';
        bool more = at_ < text_.size() && is_digit(text_[at_]);
        if (at_ - begin >= digits_min && !more) return value;
        at_ = begin;
        return std::nullopt;
    }

    bool take(std::string_view expected) {
        if (!text_.substr(at_).starts_with(expected)) return false;
        at_ += expected.size();
        return true;
    }

    std::optional<char> take_one_of(std::string_view characters) {
        if (done() || characters.find(text_[at_]) == std::string_view::npos) return std::nullopt;
        return text_[at_++];
    }

    void spaces() {
        while (take(" ")) continue;
    }

    std::size_t digits_ahead() const {
        std::size_t end = at_;
        while (end < text_.size() && is_digit(text_[end])) ++end;
        return end - at_;
    }

    // An English month, in full or its first three letters: 1 to 12.
    std::optional<int> month_name() {
        constexpr std::array<std::string_view, 12> names = {"january",   "february", "march",    "april",
                                                            "may",       "june",     "july",     "august",
                                                            "september", "october",  "november", "december"};
        std::size_t end = at_;
        while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end]))) ++end;
        auto word = lower_ascii(text_.substr(at_, end - at_));
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (word != names[i] && word != names[i].substr(0, 3) && !(word == "sept" && i == 8)) continue;
            at_ = end;
            return static_cast<int>(i + 1);
        }
        return std::nullopt;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

struct Day {
    int year = 0, month = 0, day = 0;
};

std::optional<Day> numeric_day(DateScan& scan, DateOrder order) {
    if (scan.digits_ahead() == 4) {
        auto year = scan.number(4, 4);
        if (scan.take("\u5E74")) {  // the Chinese signs for year, month and day
            auto month = scan.number(1, 2);
            if (!month || !scan.take("\u6708")) return std::nullopt;
            auto day = scan.number(1, 2);
            if (!day || !scan.take("\u65E5")) return std::nullopt;
            return Day{*year, *month, *day};
        }
        auto mark = scan.take_one_of("-/.");
        auto month = mark ? scan.number(1, 2) : std::nullopt;
        if (!month || !scan.take({&*mark, 1})) return std::nullopt;
        auto day = scan.number(1, 2);
        return day ? std::optional(Day{*year, *month, *day}) : std::nullopt;
    }
    auto first = scan.number(1, 2);
    auto mark = first ? scan.take_one_of("-/.") : std::nullopt;
    auto second = mark ? scan.number(1, 2) : std::nullopt;
    if (!second || !scan.take({&*mark, 1})) return std::nullopt;
    auto year = scan.number(4, 4);
    if (!year) return std::nullopt;
    bool day_first = *mark == '.' || order == DateOrder::day_first;
    return day_first ? Day{*year, *second, *first} : Day{*year, *first, *second};
}

// 31 Jan 2024, 31-Jan-2024, January 31, 2024
std::optional<Day> named_day(DateScan& scan) {
    auto gap = [&] { return scan.take("-") || scan.take(", ") || scan.take(". ") || scan.take(" "); };
    auto day = scan.number(1, 2);
    if (day && !gap()) return std::nullopt;
    auto month = scan.month_name();
    if (!month || !gap()) return std::nullopt;
    if (!day && (!(day = scan.number(1, 2)) || !gap())) return std::nullopt;
    auto year = scan.number(4, 4);
    return year ? std::optional(Day{*year, *month, *day}) : std::nullopt;
}

// Whether Z, +02, +02:00 or +0200 stands here, or nothing at all.
bool offset(DateScan& scan) {
    scan.spaces();
    if (scan.done() || ((scan.take("Z") || scan.take("z") || scan.take("UTC")) && scan.done())) return true;
    if (!scan.take_one_of("+-")) return false;
    if (scan.digits_ahead() == 4) return scan.number(4, 4).has_value() && scan.done();
    bool hours = scan.number(2, 2).has_value();
    if (hours && scan.take(":")) return scan.number(2, 2).has_value() && scan.done();
    return hours && scan.done();
}

// The time of day as a fraction, to the end of the text; 0 when there is none.
std::optional<double> time_of_day(DateScan& scan) {
    if (scan.done()) return 0.0;
    if (!scan.take_one_of("Tt ")) return std::nullopt;
    scan.spaces();
    auto hour = scan.number(1, 2);
    auto minute = hour && scan.take(":") ? scan.number(2, 2) : std::nullopt;
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    double seconds = 0;
    if (scan.take(":")) {
        auto whole = scan.number(2, 2);
        if (!whole || *whole > 60) return std::nullopt;
        seconds = *whole;
        if (scan.take_one_of(".,")) {
            double unit = 0.1;
            std::size_t digits = scan.digits_ahead();
            if (digits < 1 || digits > 9) return std::nullopt;
            for (; digits > 0; --digits, unit /= 10) seconds += unit * (*scan.take_one_of("0123456789") - '0');
        }
    }
    if (!offset(scan)) return std::nullopt;
    return ((*hour * 60 + *minute) * 60 + seconds) / 86'400;
}

}  // namespace

const std::vector<std::string>& default_missing_spellings() {
    static const std::vector<std::string> spellings = {
        "",    "?",    "-",      "--",      ".",       "na",       "n/a",  "n.a.", "<na>", "#n/a",   "#na",
        "nan", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "null", "nil",  "none", "missing"};
    return spellings;
}

std::optional<double> parse_number(std::string_view text) {
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    if (text.empty() || (!is_digit(text.back()) && text.back() != '.')) return std::nullopt;
    if (text.find_first_not_of("0123456789.+-eE") != std::string_view::npos) return std::nullopt;
    double value = 0;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

bool has_leading_zero(std::string_view text) {
    return text.size() > 1 && text[0] == '0' && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string shortened(std::string_view valid_text) {
    constexpr std::size_t shown = 60;
    if (valid_text.size() <= shown) return std::string(valid_text);
    std::size_t end = shown;
    while (is_continuation_byte(valid_text[end])) --end;
    return std::string(valid_text.substr(0, end)) + "...";
}

std::optional<Moment> parse_date(std::string_view text, DateOrder order) {
    constexpr std::size_t shortest = 8, longest = 64;
    if (text.size() < shortest || text.size() > longest) return std::nullopt;
    DateScan scan(text);
    auto day = numeric_day(scan, order);
    if (!day) {
        scan = DateScan(text);
        day = named_day(scan);
    }
    if (!day || day->year < 1) return std::nullopt;
    std::chrono::year_month_day date{std::chrono::year(day->year),
                                     std::chrono::month(static_cast<unsigned>(day->month)),
                                     std::chrono::day(static_cast<unsigned>(day->day))};
    auto time = date.ok() ? time_of_day(scan) : std::nullopt;
    if (!time) return std::nullopt;
    std::chrono::sys_days number(date);
    return Moment{static_cast<double>(number.time_since_epoch().count()) + *time,
                  static_cast<int>(std::chrono::weekday(number).iso_encoding()) - 1, day->month};
}

CellReader::CellReader(std::span<const std::string> missing_spellings) {
    for (const auto& spelling : missing_spellings) {
        missing_.insert(lower_ascii(spelling));
        longest_ = std::max(longest_, spelling.size());
    }
}

std::optional<std::string_view> CellReader::value(const Record& record, std::size_t column) const {
    if (column >= record.values.size() || !record.values[column]) return std::nullopt;
    auto text = trim_white_space(*record.values[column]);
    if (text.empty()) return std::nullopt;
    if (text.size() <= longest_ && missing_.contains(lower_ascii(text))) return std::nullopt;
    return text;
}

}  // namespace rootstock
