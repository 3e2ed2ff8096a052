#pragma once
// What the page carries inside itself.

#include <string_view>

namespace rootstock::html {

extern const std::string_view style;   // CSS: light and dark, print
extern const std::string_view script;  // language switch, tips under the pointer, sorting of the class table

}  // namespace rootstock::html
