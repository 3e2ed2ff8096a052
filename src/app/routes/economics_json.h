#pragma once
// The economics of a month as JSON, told by the API and the command alike. Amounts are decimal strings.

#include "flow/flow.h"

namespace rootstock {

json::object to_json(const bill::NamedEconomics& named, const ledger::MachinePrice& price);

// "classify=1000,chat=20" and "1,10,100"; invalid_argument, param `field`, for anything else.
Result<std::map<std::string, std::int64_t>> read_mix(std::string_view text, const char* field);
Result<std::vector<std::int64_t>> read_numbers(std::string_view text, const char* field);

}  // namespace rootstock
