#pragma once
// Where faults of the compilers' inner parts become results.

#include "infer/constrain/compile.h"
#include "infer/constrain/network_constraint.h"

namespace rootstock::constrain {

// Some 50 ms; ordinary schemas take a hundredth.
constexpr std::size_t steps_max = 6'000'000;
constexpr std::size_t text_bytes_max = 1 << 20;  // of a pattern, grammar or all choices

// `fill` writes the rules.
template <typename Fill>
CompiledConstraint compiled(SharedVocabulary vocabulary, const Fill& fill) {
    try {
        Budget budget(steps_max);
        Rules rules;
        fill(rules, budget);
        return constraint_of(rules, std::move(vocabulary), budget);
    } catch (const CompileFault& fault) {
        return fail(fault.error);
    }
}

inline void check_size(std::size_t bytes, const char* what) {
    if (bytes > text_bytes_max)
        refuse(ErrorCode::too_large, std::string(what) + " is larger than " + std::to_string(text_bytes_max) + " bytes",
               "constraint_too_large");
}

}  // namespace rootstock::constrain
