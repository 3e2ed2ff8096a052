#pragma once
// Which routes a key may call: words such as "predictions" or "keys:read", the x-scopes of api/openapi.yaml. A key
// without any may call everything under /v1 and nothing of the management API, which names a ':' in all its scopes.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::tenant {

using Scopes = std::vector<std::string>;

inline constexpr std::size_t scopes_max = 64;

bool holds(const Scopes& held, std::string_view scope);

// As they are stored: sorted, each once, a blank between. invalid_argument, param "scopes", for a word of another
// shape than a-z 0-9 _ - with at most one ':' inside, or for too many.
Result<std::string> join_scopes(Scopes scopes);
Scopes split_scopes(std::string_view stored);

}  // namespace rootstock::tenant
