#pragma once
// The program's log: one line an event on standard error, through spdlog. Never a secret, a request body or a
// customer's text: callers log identifiers, counts and durations.

#include <spdlog/spdlog.h>

namespace rootstock {

enum class LogLevel { error, warning, info, debug };

// Sets the level and a plain pattern with UTC time; called once by main.
void start_log(LogLevel level);

}  // namespace rootstock
