#pragma once
// Spans of time in the books: half-open [start, end).

#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock::ledger {

struct Period {
    Timestamp start, end;
    auto operator<=>(const Period&) const = default;
};

// Calendar months in UTC.
Result<Period> month(std::string_view text);  // "2026-11"
Period month_of(Timestamp instant);
std::string month_name(const Period& period);  // "2026-11"

}  // namespace rootstock::ledger
