#pragma once
// How the commands about money show it.

#include <string>

#include "ledger/ledger.h"

namespace rootstock {

// The chosen month, or the current one when `text` is empty.
inline Result<ledger::Period> chosen_month(const std::string& text) {
    if (text.empty()) return ledger::month_of(system_clock().now());
    return ledger::month(text);
}

// Exact amounts are decimal strings in JSON, never floating-point numbers.
inline json::value money(Micros amount) { return json::value(format_exact(amount)); }

inline std::string count(std::int64_t number) { return format_count(static_cast<std::uint64_t>(number)); }

// Machine time in seconds, with milliseconds.
inline std::string seconds(std::int64_t micros) { return format_rounded(Micros{micros}, 3); }

inline std::string shown_adapter(const std::string& adapter) { return adapter.empty() ? "-" : adapter; }

}  // namespace rootstock
