#include <algorithm>

#include "evaluate/report.h"

namespace rootstock {
namespace {

json::object to_json(const AverageMeasures& average) {
    return {{"precision", average.precision}, {"recall", average.recall}, {"f1", average.f1}};
}

json::array classes_to_json(const ClassificationReport& report) {
    json::array classes;
    for (const auto& c : report.classes)
        classes.push_back(json::object{{"label", c.label},
                                       {"precision", c.precision},
                                       {"recall", c.recall},
                                       {"f1", c.f1},
                                       {"support", c.support}});
    return classes;
}

json::array confusion_to_json(const ClassificationReport& report) {
    json::array rows;
    for (std::size_t truth = 0; truth < report.classes.size(); ++truth) {
        json::array row;
        for (std::size_t predicted = 0; predicted < report.classes.size(); ++predicted)
            row.push_back(report.confused(truth, predicted));
        rows.push_back(std::move(row));
    }
    return rows;
}

json::array bins_to_json(const ClassificationReport& report) {
    json::array bins;
    for (const auto& bin : report.bins)
        bins.push_back(json::object{{"low", bin.low},
                                    {"high", bin.high},
                                    {"count", bin.count},
                                    {"confidence", bin.confidence},
                                    {"accuracy", bin.accuracy}});
    return bins;
}

json::array curve_to_json(const std::vector<CurvePoint>& curve, const char* name) {
    json::array points;
    for (const auto& point : curve) points.push_back(json::object{{"step", point.step}, {name, point.value}});
    return points;
}

json::object facts_to_json(const std::vector<ReportFact>& facts) {
    json::object object;
    for (const auto& fact : facts) object[fact.name] = fact.value;
    return object;
}

json::array mistakes_to_json(const std::vector<ReportMistake>& mistakes) {
    json::array list;
    for (const auto& m : mistakes)
        list.push_back(json::object{{"row", m.row},
                                    {"text", m.text},
                                    {"truth", m.truth},
                                    {"predicted", m.predicted},
                                    {"probability", m.probability}});
    return list;
}

}  // namespace

json::value to_json(const ClassificationReport& report) {
    json::object top;
    for (const auto& entry : report.top) top[std::to_string(entry.k)] = entry.accuracy;
    return json::object{{"examples", report.examples},
                        {"accuracy", report.accuracy},
                        {"macro", to_json(report.macro)},
                        {"weighted", to_json(report.weighted)},
                        {"top_accuracy", std::move(top)},
                        {"log_loss", report.log_loss},
                        {"brier", report.brier},
                        {"calibration_error", report.calibration_error},
                        {"roc_auc", report.roc_auc ? json::value(*report.roc_auc) : json::value(nullptr)},
                        {"classes", classes_to_json(report)},
                        {"confusion", confusion_to_json(report)},
                        {"reliability", bins_to_json(report)}};
}

json::value to_json(const EvaluationPage& page) {
    auto object = to_json(page.report).get_object();
    object["format"] = 1;
    object["title"] = page.title;
    object["truncated"] = page.truncated;
    object["kept_aside"] = page.kept_aside;
    object["loss_curve"] = curve_to_json(page.loss, "loss");
    object["accuracy_curve"] = curve_to_json(page.accuracy, "accuracy");
    object["settings"] = facts_to_json(page.settings);
    object["lineage"] = facts_to_json(page.lineage);
    object["mistakes"] = mistakes_to_json(page.mistakes);
    return object;
}

}  // namespace rootstock
