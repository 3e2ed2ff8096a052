#include "app/pages/what_if_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/pages/html.h"

namespace rootstock {
namespace {

constexpr double width = 760, height = 440, left = 84, right = 24, top = 48, bottom = 56;

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

// "1,000", "0.01": of a tick, which is a power of ten.
std::string power_text(int power) {
    if (power < 0) return "0." + std::string(static_cast<std::size_t>(-power - 1), '0') + "1";
    std::string digits = "1" + std::string(static_cast<std::size_t>(power), '0');
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

// A logarithmic axis from one power of ten to another.
struct Axis {
    int low = 0, high = 1;
    double from, to;  // pixels

    Axis(double least, double most, double start, double end) : from(start), to(end) {
        low = static_cast<int>(std::floor(std::log10(least) + 1e-9));
        high = std::max(low + 1, static_cast<int>(std::ceil(std::log10(most) - 1e-9)));
    }
    double at(double value) const { return from + (std::log10(value) - low) / (high - low) * (to - from); }
};

double major(Micros amount) { return std::max(static_cast<double>(amount.value) / 1e6, 1e-6); }

std::string text_at(double x, double y, const char* anchor, const std::string& words) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + escape(words) +
           "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* kind) {
    return std::string("<line class=\"") + kind + "\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
           number(x2) + "\" y2=\"" + number(y2) + "\"/>\n";
}

std::string grid(const Axis& x, const Axis& y) {
    std::string out;
    for (int power = x.low; power <= x.high; ++power) {
        const double at = x.at(std::pow(10.0, power));
        out += line(at, y.from, at, y.to, "grid") + text_at(at, y.from + 20, "middle", power_text(power));
    }
    for (int power = y.low; power <= y.high; ++power) {
        const double at = y.at(std::pow(10.0, power));
        out += line(x.from, at, x.to, at, "grid") + text_at(x.from - 8, at + 4, "end", power_text(power));
    }
    return out;
}

}  // namespace

std::string what_if_chart(const ledger::WhatIf& answer) {
    double least = major(answer.price.value > 0 ? answer.price : answer.rows.back().cost_per_customer), most = least;
    for (const auto& row : answer.rows) {
        least = std::min(least, major(row.cost_per_customer));
        most = std::max(most, major(row.cost_per_customer));
    }
    const Axis x(static_cast<double>(answer.rows.front().customers), static_cast<double>(answer.rows.back().customers),
                 left, width - right);
    const Axis y(least, most, height - bottom, top);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " +
                      number(height) +
                      "\" role=\"img\" aria-label=\"Cost per customer by the number of customers\">\n<style>"
                      "svg{font:13px system-ui,sans-serif;background:#fff}text{fill:#333}.grid{stroke:#ddd}"
                      ".cost{fill:none;stroke:#2f7d4f;stroke-width:2.5}.dot{fill:#2f7d4f}"
                      ".price{stroke:#b35c1e;stroke-width:1.5;stroke-dasharray:6 4}"
                      ".even{stroke:#b35c1e;stroke-width:1}</style>\n" +
                      text_at(left, 24, "start",
                              "Cost per customer and month, " + answer.currency + " (" +
                                  format_rounded(answer.machine_per_hour) + " a machine hour)") +
                      grid(x, y) + text_at((x.from + x.to) / 2, height - 14, "middle", "customers");
    if (answer.price.value > 0) {
        const double at = y.at(major(answer.price));
        out += line(x.from, at, x.to, at, "price") +
               text_at(x.to - 4, at - 6, "end", "price " + format_rounded(answer.price));
    }
    if (answer.break_even) {
        const auto even = static_cast<double>(*answer.break_even);
        if (even >= std::pow(10.0, x.low) && even <= std::pow(10.0, x.high))
            out += line(x.at(even), y.from, x.at(even), y.to, "even") +
                   text_at(x.at(even) + 6, y.to + 14, "start", "break-even " + std::to_string(*answer.break_even));
    }
    std::string points, dots;
    for (const auto& row : answer.rows) {
        const auto place =
            number(x.at(static_cast<double>(row.customers))) + "," + number(y.at(major(row.cost_per_customer)));
        points += (points.empty() ? "" : " ") + place;
        const auto comma = place.find(',');
        dots += "<circle class=\"dot\" r=\"4\" cx=\"" + place.substr(0, comma) + "\" cy=\"" + place.substr(comma + 1) +
                "\"><title>" + std::to_string(row.customers) + ": " + format_exact(row.cost_per_customer) +
                "</title></circle>\n";
    }
    return out + "<polyline class=\"cost\" points=\"" + points + "\"/>\n" + dots + "</svg>\n";
}

}  // namespace rootstock
