#include <algorithm>
#include <cmath>

#include "evaluate/html/charts.h"
#include "evaluate/html/text.h"

namespace rootstock::html {
namespace {

// Sizes in SVG units. Labels stand beside the cells as long as they can be read.
struct Grid {
    std::size_t classes;
    double cell, font, margin;
    bool labelled, numbered;

    explicit Grid(const ClassificationReport& report) : classes(report.classes.size()) {
        constexpr double side = 760, smallest = 4, largest = 48, readable = 7;
        cell = std::clamp(side / static_cast<double>(classes), smallest, largest);
        font = std::min(12.0, cell * 0.9);
        labelled = font >= readable;
        numbered = cell >= 22;
        std::size_t longest = 0;
        for (const auto& c : report.classes) longest = std::max(longest, shown(c.label).size());
        margin = labelled ? std::min(260.0, 16 + 0.62 * font * static_cast<double>(longest)) : 12;
    }

    static std::string_view shown(std::string_view label) {
        return label.substr(0, std::min<std::size_t>(label.size(), 34));
    }
    double at(std::size_t index) const { return margin + cell * static_cast<double>(index); }
    double size() const { return margin + cell * static_cast<double>(classes) + 4; }
};

// A label cut at a character, for the margin; the whole name stands in the tip.
std::string margin_label(const std::string& label) {
    auto end = Grid::shown(label).size();
    while (end < label.size() && end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0) == 0x80) --end;
    return escaped(label.substr(0, end)) + (end < label.size() ? "…" : "");
}

std::string labels(const Grid& grid, const ClassificationReport& report) {
    std::string svg;
    if (!grid.labelled) return svg;
    for (std::size_t c = 0; c < grid.classes; ++c) {
        double middle = grid.at(c) + grid.cell / 2 + grid.font * 0.35;
        auto text = margin_label(report.classes[c].label);
        svg += fmt::format(
            R"(<text class="name" style="font-size:{:.1f}px" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
            grid.font, grid.margin - 5, middle, text);
        svg += fmt::format(
            R"svg(<text class="name" style="font-size:{:.1f}px" transform="translate({:.1f} {:.1f}) rotate(-90)">{}</text>)svg",
            grid.font, middle, grid.margin - 5, text);
    }
    return svg;
}

std::string cell(const Grid& grid, const ClassificationReport& report, std::size_t truth, std::size_t predicted) {
    auto times = report.confused(truth, predicted);
    double share =
        static_cast<double>(times) / static_cast<double>(std::max<std::int64_t>(1, report.classes[truth].support));
    double depth = 0.12 + 0.88 * std::sqrt(share);
    auto svg =
        fmt::format(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill-opacity="{:.2f}" )"
                    R"(data-cell="{},{},{}"/>)",
                    truth == predicted ? "right" : "wrong", grid.at(predicted), grid.at(truth), grid.cell - 0.6,
                    grid.cell - 0.6, depth, truth, predicted, times);
    if (!grid.numbered) return svg;
    return svg +
           fmt::format(
               R"(<text class="times{}" style="font-size:{:.1f}px" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
               depth > 0.6 ? " deep" : "", std::min(13.0, grid.cell * 0.34), grid.at(predicted) + grid.cell / 2,
               grid.at(truth) + grid.cell / 2 + 4, times);
}

}  // namespace

std::string confusion_matrix(const ClassificationReport& report) {
    Grid grid(report);
    auto svg = fmt::format(
        R"(<svg class="confusion" viewBox="0 0 {:.0f} {:.0f}" style="max-width:{:.0f}px" role="img" )"
        R"(aria-label="confusion matrix"><rect class="ground" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
        grid.size(), grid.size(), grid.size() * 1.25, grid.margin, grid.margin,
        grid.cell * static_cast<double>(grid.classes), grid.cell * static_cast<double>(grid.classes));
    svg += labels(grid, report);
    for (std::size_t truth = 0; truth < grid.classes; ++truth)
        for (std::size_t predicted = 0; predicted < grid.classes; ++predicted)
            if (report.confused(truth, predicted) > 0) svg += cell(grid, report, truth, predicted);
    return svg + "</svg>";
}

}  // namespace rootstock::html
