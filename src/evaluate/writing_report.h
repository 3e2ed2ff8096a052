#pragma once
// The report of a tuned language model: how well it says what it should, beside the base it was tuned from.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "evaluate/report.h"

namespace rootstock {

// Of the words that count on the rows measured.
struct WritingMeasures {
    double loss = 0;      // weighed mean of -log(probability of the right word)
    double accuracy = 0;  // share, by weight, of words that are the likeliest

    double perplexity() const { return std::exp(loss); }
};

struct WritingPage {
    std::string title;                       // "support@1"
    std::string measured_on;                 // "test.jsonl"
    std::int64_t rows = 0;                   // measured
    WritingMeasures before, after;           // the base, and with the adapter
    std::vector<CurvePoint> loss, accuracy;  // training loss and validation token accuracy by step; may be empty
    std::vector<ReportFact> settings, lineage;
    std::int64_t kept_aside = 0;  // rows with problems
};

// An aligned table; ends with a newline.
std::string to_terminal(const WritingPage& page);

// One HTML page that needs nothing from outside, like EvaluationPage's.
std::string to_html(const WritingPage& page);

// What `--report FILE` writes.
json::value to_json(const WritingPage& page);

}  // namespace rootstock
