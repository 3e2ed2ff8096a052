#pragma once
// What may stand after "|" in a template: text filters (trim, upper, replace, indent...), sequence filters (join,
// first, selectattr, map...), numbers (int, round, abs...) and tojson as the reference library replaces it.

#include <span>

#include "data/chat/arguments.h"
#include "data/chat/work.h"

namespace rootstock::chat {

bool is_filter(std::string_view name);

// invalid_argument: there is no filter of that name, or the input or arguments do not fit it.
Result<Value> apply_filter(Work& work, std::string_view name, const Value& input, const GivenArguments& given);

// One row of a filter table; the tables of the three files together are all filters.
struct NamedFilter {
    std::string_view name;
    Result<Value> (*apply)(Work&, const Value&, const GivenArguments&);
};
std::span<const NamedFilter> text_filters();
std::span<const NamedFilter> sequence_filters();
std::span<const NamedFilter> number_filters();

}  // namespace rootstock::chat
