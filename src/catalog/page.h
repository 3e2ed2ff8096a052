#pragma once
// Lists are told in pages, newest first unless asked otherwise. Ids sort by time of creation, so a page begins behind
// the id that the page before ended with.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rootstock::catalog {

struct PageQuery {
    std::int64_t limit = 20;
    std::string after;  // an id; empty: from the beginning
    bool ascending = false;
};

template <typename T>
struct Page {
    std::vector<T> items;
    bool has_more = false;
};

// The end of a statement over a table with an `id`; it binds :after, :same (both query.after) and :limit (limit + 1).
inline std::string page_clause(const PageQuery& query) {
    const std::string order = query.ascending ? "ASC" : "DESC";
    return std::string(" AND (:after = '' OR id ") + (query.ascending ? ">" : "<") + " :same) ORDER BY id " + order +
           " LIMIT :limit";
}

// Rows fetched one beyond the limit, as a page.
template <typename T>
Page<T> page_of(std::vector<T> rows, const PageQuery& query) {
    Page<T> page{std::move(rows), false};
    page.has_more = page.items.size() > static_cast<std::size_t>(query.limit);
    if (page.has_more) page.items.resize(static_cast<std::size_t>(query.limit));
    return page;
}

}  // namespace rootstock::catalog
