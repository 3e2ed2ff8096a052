#pragma once
// What a constraint from outside may cost while it is compiled. Everything made is paid for, so that no schema can hold
// a processor or fill the memory; the limit counts work, not time, and so is the same on every machine.

#include <string>
#include <utility>

#include "base/base.h"

namespace rootstock::constrain {

// Thrown by the compilers' inner parts and caught in the functions of compile.h alone.
struct CompileFault {
    Error error;
};

[[noreturn]] inline void refuse(ErrorCode code, std::string message, std::string reason) {
    throw CompileFault{{code, std::move(message), "", std::move(reason)}};
}

class Budget {
public:
    explicit Budget(std::size_t steps) : left_(steps) {}
    void spend(std::size_t steps) {
        if (steps > left_)
            refuse(ErrorCode::too_large, "the constraint is too large or too ambiguous to be compiled; make it simpler",
                   "constraint_too_large");
        left_ -= steps;
    }
    std::size_t left() const { return left_; }

private:
    std::size_t left_;
};

}  // namespace rootstock::constrain
