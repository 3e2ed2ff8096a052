#pragma once
// Rows that are never changed or removed: the triggers of a migration, in the one form that both databases carry.

#include <string>
#include <string_view>

namespace rootstock::store {

// `event` is UPDATE, DELETE or INSERT; `when`, if given, tells from OLD and NEW which rows it concerns; `message` holds
// no quote. A guard against DELETE is one against TRUNCATE too, where there is such a thing.
//
//   forbid("usage_event", "UPDATE", "usage_event rows are never changed or removed")
inline std::string forbid(const std::string& table, const std::string& event, const std::string& message,
                          const std::string& when = "") {
    const std::string name = table + (event == "UPDATE"   ? "_no_update"
                                      : event == "DELETE" ? "_no_delete"
                                                          : "_no_insert");
    return "CREATE TRIGGER " + name + " BEFORE " + event + " ON " + table + (when.empty() ? "" : " WHEN " + when) +
           " BEGIN SELECT RAISE(ABORT, '" + message + "'); END;\n";
}

// Neither changed nor removed.
inline std::string append_only(const std::string& table) {
    const std::string message = table + " rows are never changed or removed";
    return forbid(table, "UPDATE", message) + forbid(table, "DELETE", message);
}

}  // namespace rootstock::store
