#pragma once
// Strings of JSON under the demands of a shape: length, patterns, formats.

#include "infer/constrain/schema/demand.h"
#include "infer/constrain/schema/json_text.h"

namespace rootstock::constrain {

Part string_text(const Shape& shape, JsonRules& json, Budget& budget);
// The same as an automaton, in the shortest spelling.
Automaton string_automaton(const Shape& shape, Budget& budget);

}  // namespace rootstock::constrain
