#include "tenant/key_models.h"

#include <algorithm>

namespace rootstock::tenant {
namespace {

constexpr std::size_t name_max = 200;

bool is_name(std::string_view name) {
    if (name.empty() || name.size() > name_max) return false;
    if (name.find('*') < name.size() - 1) return false;
    return std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7F'; });
}

bool means(std::string_view allowed, std::string_view name) {
    if (allowed.ends_with('*')) return name.starts_with(allowed.substr(0, allowed.size() - 1));
    return name.starts_with(allowed) && (name.size() == allowed.size() || name[allowed.size()] == '@');
}

}  // namespace

bool may_ask(const KeyModels& models, std::string_view name) {
    return models.empty() || std::ranges::any_of(models, [&](const auto& allowed) { return means(allowed, name); });
}

Result<void> check_may_ask(const KeyModels& models, std::string_view asked, std::string_view meant) {
    if (may_ask(models, asked) || may_ask(models, meant)) return {};
    std::string all;
    for (const auto& model : models) all.append(all.empty() ? "" : ", ").append(model);
    return fail(ErrorCode::permission_denied,
                "this API key may not ask the model '" + std::string(asked) + "', only: " + all +
                    "; ask for a key that may, or have this one changed",
                "model", "model_not_allowed");
}

Result<std::string> join_models(KeyModels models) {
    std::ranges::sort(models);
    models.erase(std::unique(models.begin(), models.end()), models.end());
    if (models.size() > key_models_max)
        return fail(ErrorCode::invalid_argument,
                    "a key names at most 64 models: name none for all of them, or several with a '*' at the end",
                    "models");
    std::string stored;
    for (const auto& model : models) {
        if (!is_name(model))
            return fail(ErrorCode::invalid_argument,
                        "'" + model + "' is not the shape of a model's name, such as support, support@2 or ft:*",
                        "models");
        stored.append(stored.empty() ? "" : " ").append(model);
    }
    return stored;
}

}  // namespace rootstock::tenant
