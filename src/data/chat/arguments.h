#pragma once
// The values given to a filter, test, method or function, found by place or by name.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/chat/value.h"

namespace rootstock::chat {

struct GivenArguments {
    std::vector<Value> placed;
    std::vector<std::pair<std::string, Value>> named;

    // The argument at `place`, else the one called `name`, else null.
    const Value* find(std::size_t place, std::string_view name) const;

    // invalid_argument: more arguments than `names`, or one with another name.
    Result<void> only(std::initializer_list<std::string_view> names) const;

    // With a fallback when it is not given (or none, for numbers). invalid_argument: another type.
    Result<std::string> text(std::size_t place, std::string_view name, std::string_view fallback) const;
    Result<std::int64_t> whole(std::size_t place, std::string_view name, std::int64_t fallback) const;
    bool truth(std::size_t place, std::string_view name, bool fallback) const;
};

}  // namespace rootstock::chat
