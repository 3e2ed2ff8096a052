#pragma once
// Members of values as Python and the reference's sandbox give them: items, attributes, iteration, length.

#include "data/chat/value.h"
#include "data/chat/work.h"

namespace rootstock::chat {

// object[index]; undefined when there is none. invalid_argument: the object itself is undefined.
Result<Value> item_of(Work& work, const Value& object, const Value& index);
// object.name: a method of the type goes before a dict's key, as in the reference.
Result<Value> attribute_of(Work& work, const Value& object, std::string_view name);
// "a.b.0" from the object on, as the filters' attribute= means it.
Result<Value> attribute_path(Work& work, const Value& object, const Value& path);

struct SliceBounds {
    const Value *start, *stop, *step;  // each may be null or none
};
Result<Value> slice_of(Work& work, const Value& object, const SliceBounds& bounds);

// What a for loop goes over: items of a list, keys of a dict, characters of a text; nothing when undefined.
Result<std::vector<Value>> items_of(Work& work, const Value& value);
Result<std::int64_t> length_of(Work& work, const Value& value);

}  // namespace rootstock::chat
