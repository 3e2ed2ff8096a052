#pragma once
// Whether a value satisfies a demand, where the value is known before: those of "enum" and "const", names of
// properties.

#include "infer/constrain/schema/demand.h"

namespace rootstock::constrain {

class ValueCheck {
public:
    ValueCheck(Demands& demands, Budget& budget) : demands_(demands), budget_(budget) {}
    bool satisfies(const json::value& value, const Demand& demand);

private:
    bool fits(const json::value& value, const Shape& shape);
    bool string_fits(std::string_view text, const Shape& shape);
    bool array_fits(const json::array& items, const Shape& shape);
    bool object_fits(const json::object& fields, const Shape& shape);
    bool other_fits(std::string_view name, const json::value& value, const Shape& shape);
    bool matches(const std::string& pattern, std::string_view text);

    Demands& demands_;
    Budget& budget_;
    int depth_ = 0;
};

}  // namespace rootstock::constrain
