#pragma once
// The report of a model that gives numbers.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "evaluate/metrics.h"
#include "evaluate/report.h"

namespace rootstock {

struct NumberPage {
    std::string title;  // "price@1"
    std::string measured_on;
    NumberReport report;
    std::vector<CurvePoint> loss;  // training loss by step; may be empty
    std::vector<ReportFact> settings, lineage;
    std::int64_t kept_aside = 0;       // rows with problems
    std::vector<ReportMistake> worst;  // farthest off, in this order; of each the probability is not used
};

// A line; ends with a newline.
std::string to_terminal(const NumberReport& report);

// One HTML page that needs nothing from outside, like EvaluationPage's.
std::string to_html(const NumberPage& page);

// What `--report FILE` writes.
json::value to_json(const NumberPage& page);

}  // namespace rootstock
