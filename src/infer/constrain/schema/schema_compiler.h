#pragma once
// From a schema to rules: one rule per demand (demand.h), so that references may go in circles.

#include <deque>
#include <map>

#include "infer/constrain/schema/apart.h"
#include "infer/constrain/schema/json_text.h"

namespace rootstock::constrain {

class SchemaCompiler {
public:
    // `schema` must stay until compile() is done.
    SchemaCompiler(const json::value& schema, bool strict, Rules& rules, JsonRules& json, Budget& budget);
    Part compile();  // what validates against the schema

private:
    int rule_of(const Demand& demand);
    Part body(const Demand& demand);
    Part shape_text(const Demand& plain, const Shape& shape);
    Part values_text(const Demand& plain, const Shape& shape);
    Part value_text(const json::value& value);
    Part number_text(const Shape& shape);
    Part array_text(const Shape& shape);
    Part object_text(const Shape& shape);
    Part other_members(const Shape& shape);
    Part other_names(const Shape& shape, unsigned patterns);
    void check_exclusive(const Demand& demand, const Demands::Alternatives& alternatives);

    SchemaTree tree_;
    Budget& budget_;
    Rules& rules_;
    JsonRules& json_;
    Demands demands_;
    ValueCheck check_;
    Apart apart_;
    std::map<Demand, int> known_;
    std::deque<const Demand*> open_;
};

}  // namespace rootstock::constrain
