#pragma once
// The report for people: what was tuned, on what, how it went and how good it became.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "evaluate/metrics.h"

namespace rootstock {

struct CurvePoint {
    double step = 0;
    double value = 0;
};

// A name and a value as they shall be read: "learning rate", "0.001".
struct ReportFact {
    std::string name;
    std::string value;
};

// A row the model got wrong and was sure about.
struct ReportMistake {
    std::int64_t row = 0;
    std::string text;  // any text: escaped where it is shown
    std::string truth;
    std::string predicted;
    double probability = 0;  // of the predicted class
};

struct EvaluationPage {
    std::string title;  // "support@1"
    ClassificationReport report;
    std::vector<CurvePoint> loss;         // training loss by step; may be empty
    std::vector<CurvePoint> accuracy;     // validation accuracy by step; may be empty
    std::vector<ReportFact> settings;     // how it was tuned
    std::vector<ReportFact> lineage;      // digests, seed, file names, times
    std::int64_t truncated = 0;           // texts cut to the longest length
    std::int64_t kept_aside = 0;          // rows with problems
    std::vector<ReportMistake> mistakes;  // shown in this order
};

struct TerminalOptions {
    bool all_classes = false;  // else the worst classes first, and only so many
    std::size_t classes_max = 12;
    std::size_t confused_max = 5;
};

// An aligned table with colours where standard output wants them; ends with a newline.
std::string to_terminal(const ClassificationReport& report, const TerminalOptions& options = {});

// One HTML page that needs nothing from outside: styles, scripts and drawings are inside it; light and dark as
// the reader's system prefers; English with a switch to Chinese. All texts are escaped.
std::string to_html(const EvaluationPage& page);

// The whole page's content as JSON: what `--report FILE` writes.
json::value to_json(const EvaluationPage& page);

}  // namespace rootstock
