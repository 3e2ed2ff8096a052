#pragma once
// A prepared statement with its own places for values and columns, so that it can run again without a new parse.

#include <soci/soci.h>

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "store/cell.h"

namespace rootstock::store {

class Statement {
public:
    // `as_text`: the database hands out every column as text, so it is read here; a truth value is 't' or 'f'.
    Statement(soci::session& session, const std::string& sql, std::span<const Cell> args, std::span<const Kind> columns,
              bool as_text);

    // Returns how many rows a change touched. Throws soci::soci_error.
    std::int64_t run(std::span<const Cell> args, const std::function<void(std::span<Cell>)>& on_row);

    // Do the types of values and columns match those it was prepared with?
    bool fits(std::span<const Cell> args, std::span<const Kind> columns) const;

private:
    struct Place {  // SOCI reads and writes here; the address must not change
        Kind kind = Kind::integer;
        long long integer = 0;
        double real = 0;
        std::string text;
        soci::indicator indicator = soci::i_ok;
    };
    void bind_column(Place& place);
    void bind_value(Place& place);
    void hand_over(const std::function<void(std::span<Cell>)>& on_row);

    soci::statement statement_;
    std::deque<Place> args_, columns_;
    std::vector<Cell> row_;
    const bool as_text_;
};

}  // namespace rootstock::store
