#include "store/guard.h"

#include <map>

#include "store/dialect.h"

namespace rootstock::store {
namespace {

// Name and definition; PostgreSQL's own text of a trigger is not ours, so there only its name and state count.
std::map<std::string, std::string> present(Session& session) {
    const char* sql =
        session.is_postgres()
            ? "SELECT t.tgname, '' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE "
              "c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled <> 'D'"
            : "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
    std::map<std::string, std::string> found;
    session.for_each<std::string, std::string>(
        sql, [&](std::string name, std::string text) { found.emplace(std::move(name), std::move(text)); });
    return found;
}

}  // namespace

std::vector<std::string> missing_guards(Session& session, const std::vector<Migration>& migrations) {
    const auto found = present(session);
    std::vector<std::string> missing;
    for (const Trigger& trigger : triggers_of(migrations)) {
        const auto here = found.find(trigger.name);
        if (here == found.end() || (!session.is_postgres() && !trigger.renamed && here->second != trigger.text))
            missing.push_back(trigger.name);
        if (session.is_postgres() && trigger.event == "DELETE" && !found.contains(trigger.table + "_no_truncate"))
            missing.push_back(trigger.table + "_no_truncate");
    }
    return missing;
}

}  // namespace rootstock::store
