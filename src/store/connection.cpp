#include "store/connection.h"

#include <soci/soci.h>

#include "store/statement.h"

namespace rootstock::store {

Connection::Connection() = default;
Connection::~Connection() = default;

std::string Connection::translated(std::string_view sql, std::span<const Cell>) const { return std::string(sql); }

void Connection::forget_statements() { statements_.clear(); }

Statement& Connection::prepared(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        auto statement = std::make_unique<Statement>(*session_, translated(sql, args), args, columns, is_postgres());
        found = statements_.emplace(std::string(sql), std::move(statement)).first;
    }
    ROOTSTOCK_CHECK(found->second->fits(args, columns), "one SQL text is used with values of different types");
    return *found->second;
}

std::int64_t Connection::run(std::string_view sql, std::span<const Cell> args, std::span<const Kind> columns,
                             const OnRow& on_row) {
    try {
        return prepared(sql, args, columns).run(args, on_row);
    } catch (const soci::soci_error& fault) {
        if (forgets_failed_statements())
            if (const auto found = statements_.find(sql); found != statements_.end()) statements_.erase(found);
        throw failure_of(fault);
    }
}

}  // namespace rootstock::store
