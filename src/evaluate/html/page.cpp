#include "evaluate/html/charts.h"
#include "evaluate/html/frame.h"
#include "evaluate/html/text.h"
#include "evaluate/report.h"

namespace rootstock {
namespace html {
namespace {

std::string headline(const EvaluationPage& page) {
    const auto& r = page.report;
    std::string all = card("main", percent(r.accuracy), both("accuracy", "准确率"));
    for (const auto& top : r.top)
        if (top.k > 1)
            all += card("", percent(top.accuracy),
                        both(fmt::format("top-{} accuracy", top.k), fmt::format("前 {} 准确率", top.k)));
    all += card("main", number(r.macro.f1, 3), both("macro F1", "宏平均 F1"));
    all += card("", number(r.weighted.f1, 3), both("weighted F1", "加权 F1"));
    all += card("", number(r.calibration_error, 3), both("calibration error", "校准误差"));
    all += card("", number(r.log_loss, 3), both("log loss", "对数损失"));
    all += card("", number(r.brier, 3), both("Brier score", "Brier 分数"));
    all += card("", count(page.truncated), both("texts cut", "被截断的文本"));
    all += card("", count(page.kept_aside), both("rows kept aside", "搁置的行"));
    if (r.roc_auc) all += card("", number(*r.roc_auc, 3), both("ROC AUC", "ROC AUC"));
    int columns = r.top.size() > 1 ? 5 : 4;  // whole rows but for the last card
    return cards(all, columns);
}

std::string curves(const EvaluationPage& page) {
    return "<div class=\"two\">" + section(both("Training loss", "训练损失"), loss_chart(page.loss)) +
           section(both("Validation accuracy", "验证准确率"), accuracy_chart(page.accuracy)) + "</div>\n";
}

std::string confused_list(const ClassificationReport& report) {
    constexpr std::size_t shown = 8;
    std::string rows;
    for (const auto& pair : most_confused(report, shown)) {
        const auto& truth = report.classes[static_cast<std::size_t>(pair.truth)];
        rows += fmt::format(R"(<tr><td class="key">{}</td><td class="key bad">{}</td><td>{}</td><td>{}</td></tr>)",
                            label(truth.label), label(report.classes[static_cast<std::size_t>(pair.predicted)].label),
                            count(pair.count),
                            percent(static_cast<double>(pair.count) / static_cast<double>(truth.support)));
    }
    if (rows.empty()) return "<p class=\"none\">" + both("no mistake", "没有错误") + "</p>";
    return fmt::format(
        R"(<div class="wide"><table><thead><tr><th class="key">{}</th><th class="key">{}</th><th>{}</th><th>{}</th>)"
        R"(</tr></thead><tbody>{}</tbody></table></div>)",
        both("true", "真实"), both("predicted", "预测"), both("times", "次数"), both("of its class", "占该类"), rows);
}

std::string measures_cells(double precision, double recall, double f1) {
    auto cell = [](double value, const std::string& more) {
        return fmt::format(R"(<td data-value="{:.6f}">{:.3f}{}</td>)", value, value, more);
    };
    auto meter = fmt::format(R"(<span class="meter"><i style="width:{:.0f}%"></i></span>)", 100 * f1);
    return cell(precision, "") + cell(recall, "") + cell(f1, meter);
}

std::string class_table(const ClassificationReport& report) {
    std::string rows;
    for (const auto& c : report.classes)
        rows += fmt::format(R"(<tr><td class="key" data-value="{}">{}</td>{}<td data-value="{}">{}</td></tr>)",
                            escaped(c.label), label(c.label), measures_cells(c.precision, c.recall, c.f1), c.support,
                            count(c.support));
    auto foot = [&](const std::string& name, const AverageMeasures& m) {
        return fmt::format(R"(<tr><td class="key">{}</td>{}<td>{}</td></tr>)", name,
                           measures_cells(m.precision, m.recall, m.f1), count(report.examples));
    };
    return fmt::format(
        R"(<div class="scroll"><table><thead><tr><th class="key" data-sort="text">{}</th><th data-sort="number">{})"
        R"(</th><th data-sort="number">{}</th><th data-sort="number">F1</th><th data-sort="number">{}</th></tr></thead>)"
        R"(<tbody>{}</tbody><tfoot>{}{}</tfoot></table></div>)",
        both("class", "类别"), both("precision", "精确率"), both("recall", "召回率"), both("support", "样本数"), rows,
        foot(both("macro average", "宏平均"), report.macro),
        foot(both("weighted average", "加权平均"), report.weighted));
}

std::string mistakes_table(const std::vector<ReportMistake>& mistakes) {
    std::string rows;
    for (const auto& m : mistakes)
        rows += fmt::format(
            R"(<tr><td>{}</td><td class="text">{}</td><td class="key">{}</td><td class="key bad">{}</td><td>{}</td></tr>)",
            count(m.row), escaped(m.text), label(m.truth), label(m.predicted), percent(m.probability));
    return fmt::format(
        R"(<div class="wide"><table><thead><tr><th>{}</th><th class="key">{}</th><th class="key">{}</th><th class="key">{}</th>)"
        R"(<th>{}</th></tr></thead><tbody>{}</tbody></table></div>)",
        both("row", "行"), both("text", "文本"), both("true", "真实"), both("predicted", "预测"),
        both("probability", "概率"), rows);
}

std::string data_for_script(const ClassificationReport& report) {
    json::array names, totals;
    for (const auto& c : report.classes) names.emplace_back(c.label), totals.emplace_back(c.support);
    return embedded("names", names) + embedded("totals", totals);
}

std::string subtitle(const ClassificationReport& report) {
    return both(fmt::format("{} examples, {} classes", count(report.examples), report.classes.size()),
                fmt::format("{} 个样本，{} 个类别", count(report.examples), report.classes.size()));
}

std::string body(const EvaluationPage& page) {
    const auto& r = page.report;
    auto html = headline(page) + curves(page);
    html += section(both("Confusion matrix", "混淆矩阵"), "<div class=\"wide\">" + confusion_matrix(r) + "</div>",
                    both("rows: true class; columns: predicted class; depth: share of the row",
                         "行：真实类别；列：预测类别；颜色深浅：占该行的比例"));
    html += "<div class=\"two\">" +
            section(both("Reliability", "可靠性图"), reliability_diagram(r.bins),
                    both("bars: accuracy by confidence; dashed: perfectly calibrated; red: the gap between both",
                         "柱：各置信度区间的准确率；虚线：完美校准；红色：两者差距")) +
            section(both("Most often confused", "最常混淆的类别"), confused_list(r)) + "</div>\n";
    html += section(both("Classes", "各类别"), class_table(r), both("click a column to sort", "点击表头排序"));
    if (!page.mistakes.empty())
        html += section(both("Sure but wrong", "高置信度的错误"), mistakes_table(page.mistakes));
    if (page.settings.empty() && page.lineage.empty()) return html;
    return html + "<div class=\"two\">" + section(both("Settings", "训练设置"), facts(page.settings)) +
           section(both("Lineage", "来源"), facts(page.lineage)) + "</div>\n";
}

}  // namespace
}  // namespace html

std::string to_html(const EvaluationPage& page) {
    return html::opening(page.title, html::subtitle(page.report)) + html::body(page) +
           html::closing(html::data_for_script(page.report));
}

}  // namespace rootstock
