#pragma once
// Drawings of the report as SVG, coloured by the page's style.

#include <string>
#include <vector>

#include "evaluate/report.h"

namespace rootstock::html {

// Training loss by step: the points, and their exponential mean over them.
std::string loss_chart(const std::vector<CurvePoint>& loss);

// Validation accuracy by step, the best evaluation marked.
std::string accuracy_chart(const std::vector<CurvePoint>& accuracy);

// Accuracy against confidence, and how many answers fall into each bin.
std::string reliability_diagram(const std::vector<ReliabilityBin>& bins);

// Rows are true classes, columns predicted ones; the depth of a cell is its share of the row.
std::string confusion_matrix(const ClassificationReport& report);

}  // namespace rootstock::html
