#include "evaluate/html/plot.h"

#include <cmath>

#include "base/base.h"
#include "evaluate/html/text.h"

namespace rootstock::html {
namespace {

double round_step(double range, int count) {
    double raw = range / std::max(count, 1);
    double power = std::pow(10, std::floor(std::log10(raw)));
    double multiple = raw / power;
    return power * (multiple <= 1 ? 1 : multiple <= 2 ? 2 : multiple <= 5 ? 5 : 10);
}

std::vector<double> ticks_between(double low, double high, double step) {
    constexpr double slack = 1e-9;
    std::vector<double> ticks;
    for (double k = std::ceil(low / step - slack); k * step <= high + slack * step; ++k)
        ticks.push_back(k * step + 0.0);  // never "-0"
    return ticks;
}

std::string tick_text(double value, bool as_percent) {
    return as_percent ? fmt::format("{:.6g} %", 100 * value) : fmt::format("{:.6g}", value);
}

}  // namespace

Axis round_axis(double low, double high, int count) {
    if (!(high > low)) high = low + 1;
    double step = round_step(high - low, count);
    low = std::floor(low / step) * step;
    high = std::ceil(high / step) * step;
    return {low, high, ticks_between(low, high, step)};
}

Axis exact_axis(double low, double high, int count) {
    if (!(high > low)) high = low + 1;
    return {low, high, ticks_between(low, high, round_step(high - low, count))};
}

double Frame::at_x(double value) const { return left + (value - x.low) / (x.high - x.low) * (width - left - right); }
double Frame::at_y(double value) const {
    return height - bottom - (value - y.low) / (y.high - y.low) * (height - top - bottom);
}

std::string Frame::open(std::string_view label) const {
    return fmt::format(R"(<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">)", width, height, escaped(label));
}

std::string Frame::axes(bool x_percent, bool y_percent) const {
    std::string svg;
    for (double tick : y.ticks)
        svg += fmt::format(R"(<line class="grid" x1="{:g}" x2="{:g}" y1="{:.1f}" y2="{:.1f}"/>)"
                           R"(<text class="tick" x="{:g}" y="{:.1f}" text-anchor="end">{}</text>)",
                           left, width - right, at_y(tick), at_y(tick), left - 7, at_y(tick) + 4,
                           tick_text(tick, y_percent));
    for (double tick : x.ticks)
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:g}" text-anchor="middle">{}</text>)", at_x(tick),
                           height - bottom + 16, tick_text(tick, x_percent));
    return svg + fmt::format(R"(<line class="axis" x1="{:g}" x2="{:g}" y1="{:g}" y2="{:g}"/>)", left, width - right,
                             height - bottom, height - bottom);
}

}  // namespace rootstock::html
