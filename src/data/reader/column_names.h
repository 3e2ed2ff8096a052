#pragma once
// What people usually call the columns of a labelled table. Case and white space at the ends do not count.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rootstock {

// How well the name says that the column holds the text, or the label: 0 is best; nothing when it does not say so.
std::optional<std::size_t> text_name_rank(std::string_view name);
std::optional<std::size_t> label_name_rank(std::string_view name);

// Names of columns that hold neither: "id", "date", "split".
bool is_other_name(std::string_view name);

std::string lower_ascii(std::string_view text);  // trimmed

}  // namespace rootstock
