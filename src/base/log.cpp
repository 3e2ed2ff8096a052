#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/check.h"

namespace rootstock {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::debug:
            return spdlog::level::debug;
    }
    check_failed("level", "a LogLevel outside its list", __FILE__, __LINE__);
}

}  // namespace

void start_log(LogLevel level) {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("rootstock", sink);
    logger->set_level(to_spdlog(level));
    spdlog::set_default_logger(logger);
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
}

}  // namespace rootstock
