#include "data/chat/arguments.h"

#include <fmt/format.h>

#include <algorithm>

namespace rootstock::chat {

const Value* GivenArguments::find(std::size_t place, std::string_view name) const {
    if (place < placed.size()) return &placed[place];
    for (const auto& [key, value] : named)
        if (key == name) return &value;
    return nullptr;
}

Result<void> GivenArguments::only(std::initializer_list<std::string_view> names) const {
    if (placed.size() > names.size())
        return fault(fmt::format("{} arguments are given where at most {} are taken", placed.size(), names.size()));
    for (const auto& [key, value] : named) {
        auto place = std::ranges::find(names, std::string_view(key));
        if (place == names.end()) return fault(fmt::format("there is no argument '{}'; remove it", key));
        if (static_cast<std::size_t>(place - names.begin()) < placed.size())
            return fault(fmt::format("the argument '{}' is given twice", key));
    }
    return {};
}

Result<std::string> GivenArguments::text(std::size_t place, std::string_view name, std::string_view fallback) const {
    const auto* value = find(place, name);
    if (!value) return std::string(fallback);
    if (value->is_undefined()) return fail_undefined(*value);
    if (const auto* held = value->text()) return *held;
    return fault(fmt::format("the argument '{}' must be a text, not a {}", name, value->type_name()));
}

Result<std::int64_t> GivenArguments::whole(std::size_t place, std::string_view name, std::int64_t fallback) const {
    const auto* value = find(place, name);
    if (!value || value->is_none()) return fallback;
    if (value->is_undefined()) return fail_undefined(*value);
    std::int64_t room = 0;
    if (const auto* held = value->whole(room)) return *held;
    return fault(fmt::format("the argument '{}' must be a whole number, not a {}", name, value->type_name()));
}

bool GivenArguments::truth(std::size_t place, std::string_view name, bool fallback) const {
    const auto* value = find(place, name);
    return value ? value->truth() : fallback;
}

}  // namespace rootstock::chat
