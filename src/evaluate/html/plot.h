#pragma once
// A frame with axes that maps values to SVG coordinates.

#include <string>
#include <string_view>
#include <vector>

namespace rootstock::html {

struct Axis {
    double low = 0;
    double high = 1;
    std::vector<double> ticks;
};

// An axis from `low` to `high`, both widened to round numbers, with about `count` ticks (1, 2 or 5 times a power of
// 10).
Axis round_axis(double low, double high, int count);

// The same without widening: ticks inside only.
Axis exact_axis(double low, double high, int count);

struct Frame {
    double width = 520, height = 260;
    double left = 52, right = 24, top = 14, bottom = 34;
    Axis x, y;

    double at_x(double value) const;
    double at_y(double value) const;

    // Grid, tick labels (percent or plain) and the closing line.
    std::string axes(bool x_percent, bool y_percent) const;
    std::string open(std::string_view label) const;  // <svg ...>
};

}  // namespace rootstock::html
