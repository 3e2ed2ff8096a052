#pragma once
// "oneOf" says that exactly one alternative holds. A text that is written for one of them keeps that promise only where
// it can satisfy no other; this is where that is proved, or not.

#include "infer/constrain/schema/value_check.h"

namespace rootstock::constrain {

class Apart {
public:
    Apart(Demands& demands, ValueCheck& check, Budget& budget) : demands_(demands), check_(check), budget_(budget) {}

    // Whether it is certain that no value written for one of two plain demands satisfies the other.
    bool plain(const Demand& a, const Demand& b);

private:
    bool any(const Demand& a, const Demand& b);
    bool shapes(const Shape& a, const Demand& a_demand, const Shape& b, const Demand& b_demand);
    bool values(const Shape& a, const Demand& other);
    bool strings(const Shape& a, const Shape& b);
    bool arrays(const Shape& a, const Shape& b);
    bool objects(const Shape& a, const Shape& b);

    Demands& demands_;
    ValueCheck& check_;
    Budget& budget_;
    int depth_ = 0;
};

}  // namespace rootstock::constrain
