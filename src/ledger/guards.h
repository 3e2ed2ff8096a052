#pragma once
// What is written stays written: triggers that refuse a change or a removal.

#include <string>

namespace rootstock::ledger {

// `verb` is UPDATE or DELETE; `when` tells which rows it is about (OLD, NEW), all of them when empty.
std::string forbid(const std::string& table, const std::string& verb, const std::string& when = "");

// The invoices' tables (migration 80) and their triggers.
std::string invoice_tables();

}  // namespace rootstock::ledger
