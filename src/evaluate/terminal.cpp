#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <numeric>

#include "evaluate/report.h"

namespace rootstock {
namespace {

constexpr int label_columns_max = 36;

// Columns that a code point takes on a terminal.
int width_of(UChar32 c) {
    auto type = u_charType(c);
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR) return 0;
    auto width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

// A label as it may stand on a terminal: no control characters (a label could carry escape sequences), at most
// label_columns_max columns, padded with spaces to `columns`.
std::string fitted(const std::string& label, int columns) {
    std::string shown;
    int used = 0;
    auto length = static_cast<std::int32_t>(label.size());
    for (std::int32_t at = 0; at < length;) {
        auto begin = at;
        UChar32 c;
        U8_NEXT(label.data(), at, length, c);
        bool harmless = c >= 0 && u_charType(c) != U_CONTROL_CHAR && u_charType(c) != U_FORMAT_CHAR;
        int width = harmless ? width_of(c) : 1;
        if (used + width > label_columns_max - (at < length ? 1 : 0)) {
            shown += "…";
            ++used;
            break;
        }
        shown += harmless ? label.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin)) : "?";
        used += width;
    }
    if (used < columns) shown.append(static_cast<std::size_t>(columns - used), ' ');
    return shown;
}

int width_of_label(const std::string& label) {
    auto shown = fitted(label, 0);
    int width = 0;
    for (std::int32_t at = 0; at < static_cast<std::int32_t>(shown.size());) {
        UChar32 c;
        U8_NEXT(shown.data(), at, static_cast<std::int32_t>(shown.size()), c);
        width += width_of(c);
    }
    return width;
}

Colour colour_of(double score) {
    constexpr double weak = 0.6, good = 0.85;
    return score < weak ? Colour::red : score < good ? Colour::yellow : Colour::green;
}

std::string table_line(const std::string& label, const AverageMeasures& m, std::int64_t support, bool coloured) {
    auto f1 = fmt::format("{:>8.3f}", m.f1);
    return fmt::format("  {}  {:>9.3f}{:>8.3f}{}{:>9}\n", label, m.precision, m.recall,
                       coloured ? paint(colour_of(m.f1), f1) : f1, format_count(static_cast<std::uint64_t>(support)));
}

// All classes in label order where they fit; else the worst ones, most examples first among equals.
std::vector<std::size_t> chosen_classes(const ClassificationReport& report, const TerminalOptions& options) {
    std::vector<std::size_t> order(report.classes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (options.all_classes || order.size() <= options.classes_max) return order;
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        const auto &one = report.classes[a], &two = report.classes[b];
        return one.f1 != two.f1 ? one.f1 < two.f1 : one.support > two.support;
    });
    order.resize(options.classes_max);
    return order;
}

std::string headline(const ClassificationReport& report) {
    std::string text = "  " + paint(Colour::bold, fmt::format("accuracy {:.2f} %", 100 * report.accuracy));
    for (const auto& top : report.top)
        if (top.k > 1) text += fmt::format("   top-{} {:.2f} %", top.k, 100 * top.accuracy);
    text += fmt::format("   macro F1 {:.4f}   {} examples, {} classes\n", report.macro.f1,
                        format_count(static_cast<std::uint64_t>(report.examples)), report.classes.size());
    text += fmt::format("  log loss {:.4f}   Brier {:.4f}   calibration error (ECE) {:.4f}", report.log_loss,
                        report.brier, report.calibration_error);
    return text + (report.roc_auc ? fmt::format("   ROC AUC {:.4f}\n", *report.roc_auc) : "\n");
}

std::string class_table(const ClassificationReport& report, const TerminalOptions& options) {
    auto shown = chosen_classes(report, options);
    int columns = 16;
    for (auto c : shown) columns = std::max(columns, width_of_label(report.classes[c].label));
    std::string text =
        paint(Colour::dim, fmt::format("  {}  precision  recall      F1  support\n", fitted("class", columns)));
    for (auto c : shown) {
        const auto& m = report.classes[c];
        text += table_line(fitted(m.label, columns), {m.precision, m.recall, m.f1}, m.support, true);
    }
    if (shown.size() < report.classes.size())
        text += paint(Colour::dim,
                      fmt::format("  ... {} better classes not shown\n", report.classes.size() - shown.size()));
    text += table_line(fitted("macro average", columns), report.macro, report.examples, false);
    return text + table_line(fitted("weighted average", columns), report.weighted, report.examples, false);
}

std::string confused_pairs(const ClassificationReport& report, const TerminalOptions& options) {
    auto pairs = most_confused(report, options.confused_max);
    if (pairs.empty()) return {};
    std::string text = paint(Colour::dim, "  most often confused (true -> predicted)\n");
    for (const auto& pair : pairs)
        text += fmt::format("  {:>5}  {} -> {}\n", format_count(static_cast<std::uint64_t>(pair.count)),
                            fitted(report.classes[static_cast<std::size_t>(pair.truth)].label, 0),
                            fitted(report.classes[static_cast<std::size_t>(pair.predicted)].label, 0));
    return text;
}

}  // namespace

std::string to_terminal(const ClassificationReport& report, const TerminalOptions& options) {
    auto text = headline(report) + "\n" + class_table(report, options);
    auto pairs = confused_pairs(report, options);
    return pairs.empty() ? text : text + "\n" + pairs;
}

}  // namespace rootstock
