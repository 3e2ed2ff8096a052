#pragma once
// What follows '?' in a request's target, as fields: application/x-www-form-urlencoded, the way client libraries write
// it ("after=file_1&group_by[]=model&group_by[]=batch").

#include <string_view>
#include <vector>

#include "http/message/head.h"
#include "http/message/message.h"

namespace rootstock::http {

inline constexpr std::size_t query_fields_max = 100;

// The fields in their order, decoded. Refuses bad escapes, NUL, bytes that are no UTF-8, a field without a name, and
// more than query_fields_max fields. An empty query has none.
Accepted<std::vector<Header>> parse_query(std::string_view query);

}  // namespace rootstock::http
