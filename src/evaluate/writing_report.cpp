#include "evaluate/writing_report.h"

#include "evaluate/html/charts.h"
#include "evaluate/html/frame.h"
#include "evaluate/html/text.h"

namespace rootstock {
namespace {

std::string terminal_line(const char* name, double before, double after, const char* form) {
    auto shown = [&](double value) { return fmt::format(fmt::runtime(form), value); };
    return fmt::format("  {:<16}{:>12}{}\n", name, shown(before),
                       paint(Colour::bold, fmt::format("{:>12}", shown(after))));
}

json::object to_json(const WritingMeasures& measures) {
    return {{"loss", measures.loss}, {"perplexity", measures.perplexity()}, {"mean_token_accuracy", measures.accuracy}};
}

json::array to_json(const std::vector<CurvePoint>& curve, const char* name) {
    json::array points;
    for (const auto& point : curve) points.push_back(json::object{{"step", point.step}, {name, point.value}});
    return points;
}

json::object to_json(const std::vector<ReportFact>& facts) {
    json::object object;
    for (const auto& fact : facts) object[fact.name] = fact.value;
    return object;
}

}  // namespace

std::string to_terminal(const WritingPage& page) {
    std::string text = paint(Colour::dim, fmt::format("  {:<16}{:>12}{:>12}\n", "", "base", "tuned"));
    text += terminal_line("loss", page.before.loss, page.after.loss, "{:.4f}");
    text += terminal_line("perplexity", page.before.perplexity(), page.after.perplexity(), "{:.3f}");
    text += terminal_line("token accuracy", 100 * page.before.accuracy, 100 * page.after.accuracy, "{:.2f} %");
    return text + fmt::format("  over {} rows\n", format_count(static_cast<std::uint64_t>(page.rows)));
}

json::value to_json(const WritingPage& page) {
    return json::object{{"format", 1},
                        {"title", page.title},
                        {"measured_on", page.measured_on},
                        {"rows", page.rows},
                        {"base", to_json(page.before)},
                        {"tuned", to_json(page.after)},
                        {"kept_aside", page.kept_aside},
                        {"loss_curve", to_json(page.loss, "loss")},
                        {"accuracy_curve", to_json(page.accuracy, "mean_token_accuracy")},
                        {"settings", to_json(page.settings)},
                        {"lineage", to_json(page.lineage)}};
}

namespace html {
namespace {

std::string headline(const WritingPage& page) {
    const auto &base = page.before, &tuned = page.after;
    auto all = card("main", number(tuned.perplexity(), 3), both("perplexity", "困惑度"));
    all += card("main", percent(tuned.accuracy), both("token accuracy", "词元准确率"));
    all += card("", number(tuned.loss, 4), both("loss", "损失"));
    all += card("", number(base.perplexity(), 3), both("perplexity of the base", "基座的困惑度"));
    all += card("", percent(base.accuracy), both("token accuracy of the base", "基座的词元准确率"));
    all += card("", number(base.loss, 4), both("loss of the base", "基座的损失"));
    return cards(all, 3);
}

std::string body(const WritingPage& page) {
    auto html = headline(page);
    html += "<div class=\"two\">" + section(both("Training loss", "训练损失"), loss_chart(page.loss)) +
            section(both("Validation token accuracy", "验证词元准确率"), accuracy_chart(page.accuracy)) + "</div>\n";
    return html + "<div class=\"two\">" + section(both("Settings", "训练设置"), facts(page.settings)) +
           section(both("Lineage", "来源"), facts(page.lineage)) + "</div>\n";
}

}  // namespace
}  // namespace html

std::string to_html(const WritingPage& page) {
    auto rows = html::count(page.rows);
    auto sub = html::both(fmt::format("{} rows, {} kept aside", rows, html::count(page.kept_aside)),
                          fmt::format("{} 行，{} 行被搁置", rows, html::count(page.kept_aside)));
    return html::opening(page.title, sub) + html::body(page) + html::closing();
}

}  // namespace rootstock
