#include "data/chat/filters.h"

#include <algorithm>
#include <array>

namespace rootstock::chat {
namespace {

const NamedFilter* find_filter(std::string_view name) {
    for (auto table : {text_filters(), sequence_filters(), number_filters()})
        for (const auto& filter : table)
            if (filter.name == name) return &filter;
    return nullptr;
}

}  // namespace

bool is_filter(std::string_view name) { return find_filter(name) != nullptr; }

Result<Value> apply_filter(Work& work, std::string_view name, const Value& input, const GivenArguments& given) {
    ROOTSTOCK_CHECKED(work.spend(1));
    const auto* filter = find_filter(name);
    if (!filter) return fault(fmt::format("there is no filter named '{}'", name.substr(0, 40)));
    return filter->apply(work, input, given);
}

}  // namespace rootstock::chat
