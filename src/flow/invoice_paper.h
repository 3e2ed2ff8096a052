#pragma once
// Papers of an invoice: pure functions from what it says to bytes, in the language of its customer.

#include <string>

#include "ledger/ledger.h"
#include "paper/paper.h"

namespace rootstock::bill {

paper::Document sheet_of(const ledger::Invoice& invoice);
Result<std::string> pdf_of(const ledger::Invoice& invoice);
// A row per line, then one per tax rate, customer credit and the total; amounts with a decimal point.
std::string csv_of(const ledger::Invoice& invoice);

}  // namespace rootstock::bill
