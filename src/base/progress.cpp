#include "base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"

namespace rootstock {
namespace {

constexpr double redraw_seconds = 0.1;  // on a terminal
constexpr double line_seconds = 5;      // elsewhere
constexpr int bar_width = 24;

std::string bar(double share) {
    int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * bar_width));
    std::string text;
    for (int i = 0; i < bar_width; ++i) text += i < full ? "█" : "░";
    return text;
}

std::string amount(std::uint64_t count, const std::string& unit) {
    return unit == "bytes" ? format_bytes(count) : format_count(count);
}

bool wants_colour() {
    const char* variable = std::getenv("NO_COLOR");
    return !(variable && *variable);
}

}  // namespace

Progress::Progress(std::string title, std::uint64_t total, std::string unit)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      started_(monotonic_seconds()),
      terminal_(stderr_is_terminal()) {}

Progress::~Progress() {
    if (!finished_ && drawn_ >= 0 && terminal_) std::fputc('\n', stderr);
}

void Progress::update(std::uint64_t done, const std::string& note) {
    done_ = done;
    note_ = note;
    double now = monotonic_seconds();
    if (drawn_ >= 0 && now - drawn_ < (terminal_ ? redraw_seconds : line_seconds)) return;
    drawn_ = now;
    draw(false);
}

void Progress::finish(const std::string& note) {
    if (finished_) return;
    if (!note.empty()) note_ = note;
    draw(true);
    finished_ = true;
}

void Progress::draw(bool last) {
    std::string line = title_;
    if (total_ > 0) {
        double share = static_cast<double>(done_) / static_cast<double>(total_);
        char percent[16];
        std::snprintf(percent, sizeof percent, " %3.0f %%", std::floor(100 * share));
        if (terminal_) line += " " + bar(share);
        line += percent;
        line += "  " + amount(done_, unit_) + " / " + amount(total_, unit_);
    } else {
        line += "  " + amount(done_, unit_);
    }
    if (unit_ != "bytes") line += " " + unit_;
    if (!note_.empty()) line += "  " + note_;
    if (last) line += "  (" + format_duration(monotonic_seconds() - started_) + ")";
    if (terminal_)
        std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), last ? "\n" : "");
    else
        std::fprintf(stderr, "%s\n", line.c_str());
    std::fflush(stderr);
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }
bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

std::string paint(Colour colour, const std::string& text) {
    static const bool coloured = stdout_is_terminal() && wants_colour();
    if (!coloured || colour == Colour::none) return text;
    const char* code = "0";
    switch (colour) {
        case Colour::none:
            break;
        case Colour::green:
            code = "32";
            break;
        case Colour::red:
            code = "31";
            break;
        case Colour::yellow:
            code = "33";
            break;
        case Colour::bold:
            code = "1";
            break;
        case Colour::dim:
            code = "2";
            break;
    }
    return "\033[" + std::string(code) + "m" + text + "\033[0m";
}

std::string format_bytes(std::uint64_t bytes) {
    static constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes);
    int unit = 0;
    while (value >= 1000 && unit < 4) {
        value /= 1000;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

std::string format_duration(double seconds) {
    if (!(seconds >= 0) || seconds > 1e9) return "?";
    auto whole = static_cast<long long>(std::llround(seconds));
    char text[32];
    if (whole >= 3600)
        std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
    return text;
}

std::string format_count(std::uint64_t count) {
    std::string text = std::to_string(count);
    for (int i = static_cast<int>(text.size()) - 3; i > 0; i -= 3) text.insert(static_cast<std::size_t>(i), ",");
    return text;
}

}  // namespace rootstock
