// What the commands on keys and tenants have in common: limits by the minute.

#include "app/commands/commands.h"

namespace rootstock {
namespace {

json::value number_or_null(const std::optional<std::int64_t>& limit) {
    return limit ? json::value(*limit) : json::value(nullptr);
}

}  // namespace

void add_limit_options(CLI::App& command, tenant::Limits& limits) {
    command.add_option("--requests-per-minute", limits.requests_per_minute, "Requests in any minute [any number]");
    command.add_option("--tokens-per-minute", limits.tokens_per_minute,
                       "Tokens in any minute, read and written [any number]");
    command.add_option("--parallel", limits.parallel, "Requests under way at one time [any number]");
}

std::string limits_text(const tenant::Limits& limits) {
    std::string text;
    auto add = [&](const std::optional<std::int64_t>& limit, const char* unit) {
        if (limit) text.append(text.empty() ? "" : ", ").append(std::to_string(*limit)).append(unit);
    };
    add(limits.requests_per_minute, " requests/min");
    add(limits.tokens_per_minute, " tokens/min");
    add(limits.parallel, " at a time");
    return text.empty() ? "none" : text;
}

json::value to_json(const tenant::Limits& limits) {
    return json::object{{"requests_per_minute", number_or_null(limits.requests_per_minute)},
                        {"tokens_per_minute", number_or_null(limits.tokens_per_minute)},
                        {"parallel", number_or_null(limits.parallel)}};
}

}  // namespace rootstock
