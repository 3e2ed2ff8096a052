// base/json.h: any JSON from outside, and its fields by name.

#include "base/base.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto value = parse_json(fuzz::as_text(data, size), "the input");
    if (!value) return 0;
    fuzz::use(json::serialize(*value).size());
    JsonFields fields(*value, "the input");
    fields.optional_string("name", "");
    fields.optional_int("count", 1, 0, 100);
    fields.optional_number("rate", 0.5, 0, 1);
    fields.optional_bool("flag", false);
    fields.optional_strings("list");
    fuzz::use(fields.finish().has_value());
    return 0;
}
