#include "evaluate/number_report.h"

#include "evaluate/html/charts.h"
#include "evaluate/html/frame.h"
#include "evaluate/html/text.h"

namespace rootstock {
namespace {

json::array worst_json(const std::vector<ReportMistake>& worst) {
    json::array list;
    for (const auto& one : worst)
        list.push_back(
            json::object{{"row", one.row}, {"text", one.text}, {"truth", one.truth}, {"predicted", one.predicted}});
    return list;
}

json::object facts_json(const std::vector<ReportFact>& facts) {
    json::object object;
    for (const auto& fact : facts) object[fact.name] = fact.value;
    return object;
}

}  // namespace

std::string to_terminal(const NumberReport& report) {
    return "  " + paint(Colour::bold, fmt::format("RMSE {:.5g}", report.rmse)) +
           fmt::format("   MAE {:.5g}", report.mae) + (report.r2 ? fmt::format("   R2 {:.4f}", *report.r2) : "") +
           fmt::format("   {} examples\n", format_count(static_cast<std::uint64_t>(report.examples)));
}

json::value to_json(const NumberPage& page) {
    auto object = to_json(page.report).get_object();
    object["format"] = 1;
    object["title"] = page.title;
    object["measured_on"] = page.measured_on;
    object["kept_aside"] = page.kept_aside;
    json::array loss;
    for (const auto& point : page.loss) loss.push_back(json::object{{"step", point.step}, {"loss", point.value}});
    object["loss_curve"] = std::move(loss);
    object["settings"] = facts_json(page.settings);
    object["lineage"] = facts_json(page.lineage);
    object["farthest_off"] = worst_json(page.worst);
    return object;
}

namespace html {
namespace {

std::string headline(const NumberPage& page) {
    const auto& r = page.report;
    auto all = card("main", fmt::format("{:.5g}", r.rmse), both("root mean squared error", "均方根误差")) +
               card("", fmt::format("{:.5g}", r.mae), both("mean absolute error", "平均绝对误差"));
    if (r.r2) all += card("main", number(*r.r2, 3), both("variance explained (R2)", "决定系数 R2"));
    return cards(all + card("", count(page.kept_aside), both("rows kept aside", "搁置的行")), 4);
}

std::string worst_table(const std::vector<ReportMistake>& worst) {
    std::string rows;
    for (const auto& one : worst)
        rows += fmt::format(
            R"(<tr><td>{}</td><td class="text">{}</td><td class="key">{}</td><td class="key bad">{}</td></tr>)",
            count(one.row), escaped(one.text), escaped(one.truth), escaped(one.predicted));
    return fmt::format(
        R"(<div class="wide"><table><thead><tr><th>{}</th><th class="key">{}</th><th class="key">{}</th><th class="key">{}</th>)"
        R"(</tr></thead><tbody>{}</tbody></table></div>)",
        both("row", "行"), both("values", "数值"), both("true", "真实"), both("predicted", "预测"), rows);
}

std::string body(const NumberPage& page) {
    auto html = headline(page) + section(both("Training loss", "训练损失"), loss_chart(page.loss));
    if (!page.worst.empty()) html += section(both("Farthest off", "误差最大的行"), worst_table(page.worst));
    return html + "<div class=\"two\">" + section(both("Settings", "训练设置"), facts(page.settings)) +
           section(both("Lineage", "来源"), facts(page.lineage)) + "</div>\n";
}

}  // namespace
}  // namespace html

std::string to_html(const NumberPage& page) {
    const auto examples = html::count(page.report.examples);
    const auto sub = html::both(examples + " examples", examples + " 个样本");
    return html::opening(page.title, sub) + html::body(page) + html::closing();
}

}  // namespace rootstock
