#pragma once
// Which models a key may ask, by the names that its requests use: "support" (all its versions), "support@2", "ft:*"
// (all whose names begin so). A key without any may ask every model of its tenant.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock::tenant {

using KeyModels = std::vector<std::string>;

inline constexpr std::size_t key_models_max = 64;

bool may_ask(const KeyModels& models, std::string_view name);

// Under the name that was asked for, or the one that it turned out to mean. permission_denied, param "model", reason
// "model_not_allowed".
Result<void> check_may_ask(const KeyModels& models, std::string_view asked, std::string_view meant);

// As they are stored: sorted, each once, a blank between. invalid_argument, param "models", for a name of another shape
// (1 to 200 visible characters, a '*' at the end only) or for too many.
Result<std::string> join_models(KeyModels models);

}  // namespace rootstock::tenant
