#pragma once
// How C++ values become SQL values and come back.

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/base.h"

namespace rootstock::store {

enum class Kind { integer, real, text };

// One value going into a statement or coming out of a row.
struct Cell {
    Kind kind = Kind::integer;
    bool null = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string text{};
};

template <typename T>
struct CellOf;  // specialised for each type that may stand in a statement

template <std::integral T>
struct CellOf<T> {
    static constexpr Kind kind = Kind::integer;
    static Cell to(T value) { return {.kind = kind, .integer = static_cast<std::int64_t>(value)}; }
    static T from(Cell& cell) { return static_cast<T>(cell.integer); }
};

template <>
struct CellOf<double> {
    static constexpr Kind kind = Kind::real;
    static Cell to(double value) { return {.kind = kind, .real = value}; }
    static double from(Cell& cell) { return cell.real; }
};

template <>
struct CellOf<std::string> {
    static constexpr Kind kind = Kind::text;
    static Cell to(std::string_view value) { return {.kind = kind, .text = std::string(value)}; }
    static std::string from(Cell& cell) { return std::move(cell.text); }
};

template <>
struct CellOf<std::string_view> : CellOf<std::string> {};
template <>
struct CellOf<const char*> : CellOf<std::string> {};
template <std::size_t N>
struct CellOf<char[N]> : CellOf<std::string> {};

template <>
struct CellOf<Timestamp> {
    static constexpr Kind kind = Kind::integer;
    static Cell to(Timestamp value) { return CellOf<std::int64_t>::to(value.micros); }
    static Timestamp from(Cell& cell) { return Timestamp{cell.integer}; }
};

template <>
struct CellOf<Micros> {
    static constexpr Kind kind = Kind::integer;
    static Cell to(Micros value) { return CellOf<std::int64_t>::to(value.value); }
    static Micros from(Cell& cell) { return Micros{cell.integer}; }
};

template <typename Tag>
struct CellOf<Id<Tag>> {
    static constexpr Kind kind = Kind::text;
    static Cell to(const Id<Tag>& value) { return CellOf<std::string>::to(value.text()); }
    static Id<Tag> from(Cell& cell) { return Id<Tag>(std::move(cell.text)); }
};

template <typename T>
struct CellOf<std::optional<T>> {
    static constexpr Kind kind = CellOf<T>::kind;
    static Cell to(const std::optional<T>& value) {
        return value ? CellOf<T>::to(*value) : Cell{.kind = kind, .null = true};
    }
    static std::optional<T> from(Cell& cell) {
        if (cell.null) return std::nullopt;
        return CellOf<T>::from(cell);
    }
};

template <typename T>
inline constexpr bool may_be_null = false;
template <typename T>
inline constexpr bool may_be_null<std::optional<T>> = true;

template <typename T>
Cell to_cell(const T& value) {
    return CellOf<T>::to(value);
}

template <typename T>
constexpr Kind kind_of() {
    return CellOf<T>::kind;
}

template <typename T>
T from_cell(Cell& cell) {
    ROOTSTOCK_CHECK(may_be_null<T> || !cell.null, "a NULL stands in a column that is read as a value");
    return CellOf<T>::from(cell);
}

}  // namespace rootstock::store
