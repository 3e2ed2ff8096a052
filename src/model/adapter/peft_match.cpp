// Which modules a PEFT configuration means, and with which rank and scale: the rules of peft's tuners in our words.

// GCC 12 sees an uninitialised function inside its own <regex> when sanitizers are on.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <algorithm>
#include <cmath>
#include <regex>

#include "model/adapter/peft_config.h"

namespace rootstock {

namespace {

constexpr std::size_t kPatternMax = 1000;
constexpr std::size_t kPatternDigitsMax = 3;
constexpr std::size_t kPatternGrowthMax = 5000;

// std::regex reads the number after a backslash or a brace without looking whether it fits, writes a repeated part out
// as often as it says, and walks what it wrote by recursion. So numbers are short, and the pattern must stay small when
// all its repeats are written out inside each other.
bool stays_small(const std::string& pattern) {
    std::size_t grown = pattern.size(), digits = 0, number = 0;
    bool in_braces = false;
    for (char c : pattern) {
        if (c >= '0' && c <= '9') {
            if (++digits > kPatternDigitsMax) return false;
            number = number * 10 + static_cast<std::size_t>(c - '0');
            continue;
        }
        if (in_braces && (c == ',' || c == '}') && number > 1 && (grown *= number) > kPatternGrowthMax) return false;
        if (c == '{' || c == '}') in_braces = c == '{';
        digits = number = 0;
    }
    return true;
}

// Does the whole of `text` match? The pattern comes from a file, so the matcher is the one whose time grows with
// pattern x text and not exponentially.
Result<bool> matches(const std::string& pattern, const std::string& text) {
    if (pattern.size() > kPatternMax)
        return fail(ErrorCode::unsupported,
                    "a module pattern has more than " + std::to_string(kPatternMax) + " characters");
    if (!stays_small(pattern))
        return fail(ErrorCode::unsupported,
                    "the module pattern \"" + pattern +
                        "\" has a number of more than three digits or repeats too much; write it out");
    try {
        const std::regex expression(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
        return std::regex_match(text, expression);
    } catch (const std::regex_error&) {
        return fail(ErrorCode::unsupported,
                    "the module pattern \"" + pattern + "\" is not a regular expression we can read");
    }
}

bool ends_like(const std::string& path, const std::string& ending) {
    return path == ending || path.ends_with("." + ending);
}

Result<bool> means(const ModuleNames& names, const std::string& path) {
    if (const auto* list = std::get_if<std::vector<std::string>>(&names)) {
        if (list->size() == 1 && list->front() == "all-linear") return true;
        return std::ranges::any_of(*list, [&](const auto& ending) { return ends_like(path, ending); });
    }
    const auto& pattern = std::get<std::string>(names);
    if (pattern == "all-linear") return true;
    return matches(pattern, path);
}

template <typename Number>
Result<Number> look_up(const std::map<std::string, Number>& patterns, const std::string& path, Number otherwise) {
    if (const auto exact = patterns.find(path); exact != patterns.end()) return exact->second;
    for (const auto& [pattern, number] : patterns) {
        ROOTSTOCK_TRY(match, matches("(.*\\.)?(" + pattern + ")", path));
        if (match) return number;
    }
    return otherwise;
}

}  // namespace

float lora_scale(const LoraSettings& settings, int rank) {
    return static_cast<float>(settings.alpha / (settings.rank_stabilised ? std::sqrt(rank) : rank));
}

Result<int> PeftConfig::rank_of(const std::string& path) const { return look_up(rank_pattern, path, settings.rank); }

Result<double> PeftConfig::scale_of(const std::string& path) const {
    ROOTSTOCK_TRY(rank, rank_of(path));
    ROOTSTOCK_TRY(alpha, look_up(alpha_pattern, path, settings.alpha));
    return alpha / (settings.rank_stabilised ? std::sqrt(rank) : rank);
}

Result<bool> PeftConfig::selects(const std::string& path, const LinearMap& map) const {
    if (excluded) {
        ROOTSTOCK_TRY(out, means(*excluded, path));
        if (out) return false;
    }
    if (layers && std::holds_alternative<std::vector<std::string>>(targets) &&
        std::ranges::find(*layers, map.layer) == layers->end())
        return false;
    return means(targets, path);
}

}  // namespace rootstock
