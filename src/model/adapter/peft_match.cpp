// Which modules a PEFT configuration means, and with which rank and scale: the rules of peft's tuners in our words.
// Patterns are Python's there; PCRE2 reads what people write in them the same way.

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "model/adapter/peft_config.h"

namespace rootstock {

namespace {

// The pattern comes from a file: its length, its nesting and the work of one match are bounded.
constexpr std::size_t kPatternMax = 1000;
constexpr std::uint32_t kNestMax = 50, kMatchLimit = 1'000'000, kDepthLimit = 20'000, kHeapKibMax = 16 * 1024;

struct Free {
    void operator()(pcre2_code* one) const { pcre2_code_free(one); }
    void operator()(pcre2_compile_context* one) const { pcre2_compile_context_free(one); }
    void operator()(pcre2_match_context* one) const { pcre2_match_context_free(one); }
    void operator()(pcre2_match_data* one) const { pcre2_match_data_free(one); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

PCRE2_SPTR bytes_of(const std::string& text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

Owned<pcre2_code> compiled(const std::string& pattern) {
    const Owned<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
    ROOTSTOCK_CHECK(context, "PCRE2 gets the memory it compiles with");
    pcre2_set_parens_nest_limit(context.get(), kNestMax);
    int error = 0;
    PCRE2_SIZE at = 0;
    return Owned<pcre2_code>(pcre2_compile(bytes_of(pattern), pattern.size(),
                                           PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                                           context.get()));
}

// Does the whole of `text` match?
Result<bool> matches(const std::string& pattern, const std::string& text) {
    if (pattern.size() > kPatternMax)
        return fail(ErrorCode::unsupported,
                    "a module pattern has more than " + std::to_string(kPatternMax) + " characters");
    const auto code = compiled(pattern);
    if (!code)
        return fail(ErrorCode::unsupported,
                    "the module pattern \"" + pattern + "\" is not a regular expression we can read");
    const Owned<pcre2_match_context> context(pcre2_match_context_create(nullptr));
    const Owned<pcre2_match_data> place(pcre2_match_data_create(1, nullptr));
    ROOTSTOCK_CHECK(context && place, "PCRE2 gets the memory it matches with");
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_depth_limit(context.get(), kDepthLimit);
    pcre2_set_heap_limit(context.get(), kHeapKibMax);
    const int found = pcre2_match(code.get(), bytes_of(text), text.size(), 0, 0, place.get(), context.get());
    if (found >= 0) return true;
    if (found == PCRE2_ERROR_NOMATCH) return false;
    return fail(ErrorCode::unsupported, "the module pattern \"" + pattern +
                                            "\" takes too much work to match; name the modules in a list instead");
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
