#pragma once
// JSON as Python's json.dumps(value, indent=2, sort_keys=True) lays it out, for files that people read and compare.

#include <string>

#include "base/base.h"

namespace rootstock {

std::string pretty_json(const json::value& value);  // ends with a line feed

}  // namespace rootstock
