#pragma once
// JSON in text columns.

#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock::catalog {

// What we wrote ourselves reads back; anything else is a damaged file (store::Failure, corrupt).
json::value json_column(const std::string& text);

std::string text_column(const json::value& value);
std::string text_column(const std::vector<std::string>& words);
std::vector<std::string> words_column(const std::string& text);

}  // namespace rootstock::catalog
