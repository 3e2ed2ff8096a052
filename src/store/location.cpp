#include "store/location.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

namespace rootstock::store {
namespace {

// A server that is gone is noticed within seconds, whatever the address leaves out.
const std::map<std::string, std::string> wanted{{"application_name", "rootstock"}, {"connect_timeout", "5"},
                                                {"keepalives_idle", "10"},         {"keepalives_interval", "5"},
                                                {"keepalives_count", "3"},         {"tcp_user_timeout", "15000"},
                                                {"client_encoding", "UTF8"}};

std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

Result<std::map<std::string, std::string>> parts_of(const std::string& address) {
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(address.c_str(), nullptr),
                                                                         PQconninfoFree);
    if (!options)
        return fail(ErrorCode::invalid_argument,
                    "the store's address cannot be read: write postgres://USER@HOST:PORT/NAME", "store");
    std::map<std::string, std::string> parts;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
        if (option->val != nullptr) parts[option->keyword] = option->val;
    return parts;
}

}  // namespace

Result<Location> Location::parse(std::string_view text) {
    constexpr std::string_view sqlite = "sqlite:";
    if (text.starts_with(sqlite)) text.remove_prefix(sqlite.size());
    if (text.empty()) return fail(ErrorCode::invalid_argument, "a store needs a file or an address", "store");
    if (!text.starts_with("postgres://") && !text.starts_with("postgresql://"))
        return Location(std::filesystem::path(text));
    ROOTSTOCK_TRY(parts, parts_of(std::string(text)));
    Location location;
    location.shown_ = "PostgreSQL " + (parts.contains("host") ? parts["host"] + "/" : "") +
                      (parts.contains("dbname") ? parts["dbname"] : "");
    parts.insert(wanted.begin(), wanted.end());
    for (const auto& [name, value] : parts) location.address_ += name + "=" + quoted(value) + " ";
    return location;
}

}  // namespace rootstock::store
