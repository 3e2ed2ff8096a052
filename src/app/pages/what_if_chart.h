#pragma once
// How the cost per customer falls with scale, as a picture (SVG): both axes logarithmic, the price as a line, the
// break-even marked.

#include <string>

#include "ledger/ledger.h"

namespace rootstock {

std::string what_if_chart(const ledger::WhatIf& answer);

}  // namespace rootstock
