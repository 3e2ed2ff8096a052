#pragma once
// The fields of a query or a form: text, each read by name like those of a JSON body (base/json.h). The first fault is
// kept; a field that nobody asked for is refused.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "catalog/catalog.h"
#include "http/http.h"

namespace rootstock {

class TextFields {
public:
    static TextFields of_query(const http::Request& request);
    explicit TextFields(std::vector<http::Header> fields) : fields_(std::move(fields)) {}

    std::string text(std::string_view name, std::string_view fallback = "");
    std::string required(std::string_view name);
    std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high);
    std::string choice(std::string_view name, std::string_view fallback, std::initializer_list<std::string_view> known);
    std::vector<std::string> list(std::string_view name);                         // name=a&name=b, or name[]=a&name[]=b
    std::vector<std::pair<std::string, std::string>> map(std::string_view name);  // name[key]=value

    // "limit", "after" and, when wanted, "order" (newest first unless "asc").
    catalog::PageQuery page(std::int64_t fallback, std::int64_t limit_max, bool ordered);

    void fault(std::string_view name, std::string_view sentence);
    Result<void> finish();

private:
    const std::string* find(std::string_view name);

    std::vector<http::Header> fields_;
    std::vector<std::string> known_;
    std::optional<Error> error_;
};

}  // namespace rootstock
