#include "evaluate/html/charts.h"

#include <algorithm>
#include <cmath>

#include "evaluate/html/plot.h"
#include "evaluate/html/text.h"

namespace rootstock::html {
namespace {

constexpr std::size_t points_max = 500;

// Every k-th point and the last: a page need not carry a hundred thousand.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& curve) {
    std::vector<CurvePoint> points;
    for (const auto& point : curve)
        if (std::isfinite(point.value) && std::isfinite(point.step)) points.push_back(point);
    if (points.size() <= points_max) return points;
    auto stride = (points.size() + points_max - 1) / points_max;
    std::vector<CurvePoint> kept;
    for (std::size_t i = 0; i < points.size(); i += stride) kept.push_back(points[i]);
    if (kept.back().step != points.back().step) kept.push_back(points.back());
    return kept;
}

std::vector<CurvePoint> smoothed(std::vector<CurvePoint> points) {
    double weight = 2.0 / (std::max(1.0, static_cast<double>(points.size()) / 60) + 1), mean = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        mean = i == 0 ? points[i].value : mean + weight * (points[i].value - mean);
        points[i].value = mean;
    }
    return points;
}

std::string line(const Frame& frame, const std::vector<CurvePoint>& points, std::string_view style) {
    std::string path;
    for (const auto& p : points)
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.at_x(p.step), frame.at_y(p.value));
    return fmt::format(R"(<path class="{}" d="{}"/>)", style, path);
}

// Invisible discs that carry the value under the pointer.
std::string tips(const Frame& frame, const std::vector<CurvePoint>& points, std::string_view name,
                 std::string_view chinese, bool as_percent) {
    std::string svg;
    for (const auto& p : points) {
        auto value = as_percent ? percent(p.value) : number(p.value, 4);
        svg += fmt::format(
            R"(<circle class="hit" cx="{:.1f}" cy="{:.1f}" r="6" data-tip="step {:g} · {} {}" data-zh="第 {:g} 步 · {} {}"/>)",
            frame.at_x(p.step), frame.at_y(p.value), p.step, name, value, p.step, chinese, value);
    }
    return svg;
}

Frame frame_for(const std::vector<CurvePoint>& points, double low, double high) {
    Frame frame;
    double last = points.back().step;
    frame.x = exact_axis(std::min(0.0, points.front().step), last, 6);
    frame.y = round_axis(low, high, 5);
    return frame;
}

std::string empty_chart() { return "<p class=\"none\">" + both("not recorded", "未记录") + "</p>"; }

}  // namespace

std::string loss_chart(const std::vector<CurvePoint>& loss) {
    auto points = thinned(loss);
    if (points.empty()) return empty_chart();
    double high = std::ranges::max_element(points, {}, &CurvePoint::value)->value;
    auto frame = frame_for(points, 0, high);
    return frame.open("training loss by step") + frame.axes(false, false) + line(frame, points, "curve faint") +
           line(frame, smoothed(points), "curve") + tips(frame, points, "loss", "损失", false) + "</svg>";
}

std::string accuracy_chart(const std::vector<CurvePoint>& accuracy) {
    auto points = thinned(accuracy);
    if (points.empty()) return empty_chart();
    auto [low, high] = std::ranges::minmax_element(points, {}, &CurvePoint::value);
    double margin = std::max(0.02, 0.1 * (high->value - low->value));
    auto frame = frame_for(points, std::max(0.0, low->value - margin), std::min(1.0, high->value + margin));
    std::string marks;
    for (const auto& p : points)
        marks +=
            fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>)", &p == &*high ? "dot best" : "dot",
                        frame.at_x(p.step), frame.at_y(p.value), &p == &*high ? 5 : 3);
    return frame.open("validation accuracy by step") + frame.axes(false, true) + line(frame, points, "curve") + marks +
           tips(frame, points, "accuracy", "准确率", true) + "</svg>";
}

std::string reliability_diagram(const std::vector<ReliabilityBin>& bins) {
    Frame frame;
    frame.height = 300;
    frame.x = frame.y = exact_axis(0, 1, 5);
    std::string svg = frame.open("reliability diagram") + frame.axes(true, true);
    std::int64_t most = 1;
    for (const auto& bin : bins) most = std::max(most, bin.count);
    for (const auto& bin : bins) {
        if (bin.count == 0) continue;
        double x = frame.at_x(bin.low) + 1, width = frame.at_x(bin.high) - frame.at_x(bin.low) - 2;
        double low = frame.at_y(std::min(bin.accuracy, bin.confidence)),
               high = frame.at_y(std::max(bin.accuracy, bin.confidence));
        double strength = 0.25 + 0.75 * std::sqrt(static_cast<double>(bin.count) / static_cast<double>(most));
        svg += fmt::format(
            R"(<g data-tip="confidence {0} · accuracy {1} · {2} answers" data-zh="置信度 {0} · 准确率 {1} · {2} 个回答">)",
            percent(bin.confidence), percent(bin.accuracy), count(bin.count));
        svg += fmt::format(
            R"(<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill-opacity="{:.2f}"/>)", x,
            frame.at_y(bin.accuracy), width, frame.at_y(0) - frame.at_y(bin.accuracy), strength);
        svg += fmt::format(R"(<rect class="gap" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/></g>)", x, high,
                           width, std::max(low - high, 0.5));
    }
    return svg + fmt::format(R"(<line class="ideal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/></svg>)",
                             frame.at_x(0), frame.at_y(0), frame.at_x(1), frame.at_y(1));
}

}  // namespace rootstock::html
