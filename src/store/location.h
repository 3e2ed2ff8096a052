#pragma once
// Where records are kept: a file, or a database of a PostgreSQL server.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock::store {

class Location {
public:
    Location(const std::filesystem::path& file) : file_(file) {}  // SQLite; implicit, a path is a place

    // "postgres://user@host:port/name" (or postgresql://), "sqlite:FILE", or a plain path. Refuses an address that
    // libpq cannot read; its message does not repeat the address, which may hold a password.
    static Result<Location> parse(std::string_view text);

    bool is_postgres() const { return !address_.empty(); }
    const std::filesystem::path& file() const { return file_; }
    // What libpq connects with, in its keyword form and with our time limits; it may hold a password.
    const std::string& address() const { return address_; }
    // For messages and logs: never a password.
    const std::string& shown() const { return shown_; }

private:
    Location() = default;

    std::filesystem::path file_{};
    std::string address_{};
    std::string shown_ = file_.filename().string();
};

}  // namespace rootstock::store
