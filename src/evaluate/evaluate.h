#pragma once
// evaluate: what a model is worth, in numbers that equal scikit-learn's, and as a report to the terminal, as JSON
// and as one self-contained HTML page. Knows nothing of SQL or HTTP. Other folders include this face only.

#include "evaluate/metrics.h"
#include "evaluate/number_report.h"
#include "evaluate/report.h"
#include "evaluate/writing_report.h"
