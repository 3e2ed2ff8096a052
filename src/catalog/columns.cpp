#include "catalog/columns.h"

#include "store/store.h"

namespace rootstock::catalog {

json::value json_column(const std::string& text) {
    auto value = parse_json(text, "a record of the catalog");
    if (!value) throw store::Failure({ErrorCode::corrupt, value.error().message, {}, "damaged"});
    return std::move(*value);
}

std::string text_column(const json::value& value) { return json::serialize(value); }

std::string text_column(const std::vector<std::string>& words) { return json::serialize(json::value_from(words)); }

std::vector<std::string> words_column(const std::string& text) {
    std::vector<std::string> words;
    const json::value value = json_column(text);
    if (const auto* array = value.if_array())
        for (const json::value& word : *array)
            if (const auto* string = word.if_string()) words.emplace_back(*string);
    return words;
}

}  // namespace rootstock::catalog
