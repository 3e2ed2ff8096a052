#include "store/statement.h"

#include <charconv>

namespace rootstock::store {
namespace {

template <typename Place>
void load(const Cell& cell, Place& place) {
    place.indicator = cell.null ? soci::i_null : soci::i_ok;
    place.integer = cell.integer;
    place.real = cell.real;
    place.text = cell.text;
}

template <typename Number>
Number number_in(const std::string& text) {
    Number value{};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size())
        throw soci::soci_error("a column that is read as a number holds something else");
    return value;
}

std::int64_t integer_in(const std::string& text) {
    if (text == "t" || text == "f") return text == "t";
    return number_in<std::int64_t>(text);
}

}  // namespace

Statement::Statement(soci::session& session, const std::string& sql, std::span<const Cell> args,
                     std::span<const Kind> columns, bool as_text)
    : statement_(session), args_(args.size()), columns_(columns.size()), row_(columns.size()), as_text_(as_text) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        row_[i].kind = columns[i];
        columns_[i].kind = as_text ? Kind::text : columns[i];
        bind_column(columns_[i]);
    }
    for (std::size_t i = 0; i < args.size(); ++i) {
        args_[i].kind = args[i].kind;
        bind_value(args_[i]);
    }
    statement_.alloc();
    statement_.prepare(sql);
    statement_.define_and_bind();
}

// SOCI's into and use must stand in the call itself: they refer to temporaries of that line.
void Statement::bind_column(Place& place) {
    switch (place.kind) {
        case Kind::integer:
            return statement_.exchange(soci::into(place.integer, place.indicator));
        case Kind::real:
            return statement_.exchange(soci::into(place.real, place.indicator));
        case Kind::text:
            return statement_.exchange(soci::into(place.text, place.indicator));
    }
}

void Statement::bind_value(Place& place) {
    switch (place.kind) {
        case Kind::integer:
            return statement_.exchange(soci::use(place.integer, place.indicator));
        case Kind::real:
            return statement_.exchange(soci::use(place.real, place.indicator));
        case Kind::text:
            return statement_.exchange(soci::use(place.text, place.indicator));
    }
}

bool Statement::fits(std::span<const Cell> args, std::span<const Kind> columns) const {
    if (args.size() != args_.size() || columns.size() != columns_.size()) return false;
    for (std::size_t i = 0; i < args.size(); ++i)
        if (args[i].kind != args_[i].kind) return false;
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i] != row_[i].kind) return false;
    return true;
}

void Statement::hand_over(const std::function<void(std::span<Cell>)>& on_row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        row_[i].null = columns_[i].indicator == soci::i_null;
        row_[i].integer = columns_[i].integer;
        row_[i].real = columns_[i].real;
        row_[i].text = columns_[i].text;
        if (!as_text_ || row_[i].null) continue;
        if (row_[i].kind == Kind::integer) row_[i].integer = integer_in(row_[i].text);
        if (row_[i].kind == Kind::real) row_[i].real = number_in<double>(row_[i].text);
    }
    on_row(row_);
}

std::int64_t Statement::run(std::span<const Cell> args, const std::function<void(std::span<Cell>)>& on_row) {
    for (std::size_t i = 0; i < args.size(); ++i) load(args[i], args_[i]);
    bool row = statement_.execute(true);
    if (columns_.empty()) return statement_.get_affected_rows();
    // Rows are read to the last one, so that the statement holds no lock when it is done.
    for (; row; row = statement_.fetch()) hand_over(on_row);
    return 0;
}

}  // namespace rootstock::store
