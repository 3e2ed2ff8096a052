#include "store/dialect.h"

#include <algorithm>
#include <cctype>

namespace rootstock::store {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Walks over SQL piece by piece: a word, a quoted text, a comment, or one other character.
class Pieces {
public:
    explicit Pieces(std::string_view sql) : sql_(sql) {}

    bool done() const { return at_ >= sql_.size(); }
    std::size_t at() const { return at_; }

    std::string_view next() {
        const std::size_t start = at_;
        const char c = sql_[at_++];
        if (is_word(c)) {
            while (!done() && is_word(sql_[at_])) ++at_;
        } else if (c == '\'' || c == '"') {
            const std::size_t end = sql_.find(c, at_);  // a doubled quote reads as two texts side by side
            at_ = end == std::string_view::npos ? sql_.size() : end + 1;
        } else if (sql_.substr(start).starts_with("--")) {
            at_ = std::min(sql_.find('\n', at_), sql_.size());
        } else if (sql_.substr(start).starts_with("::")) {
            ++at_;
        }
        return sql_.substr(start, at_ - start);
    }

    std::string_view next_word() {  // past spaces
        std::string_view piece = next();
        while (!done() && std::isspace(static_cast<unsigned char>(piece.front())) != 0) piece = next();
        return piece;
    }

    std::string_view rest() const { return sql_.substr(at_); }
    void skip(std::size_t count) { at_ += count; }

private:
    std::string_view sql_;
    std::size_t at_ = 0;
};

std::string trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
    return std::string(text);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// CREATE TRIGGER name BEFORE event ON table [WHEN condition] BEGIN SELECT RAISE(ABORT, 'message') [WHERE condition];
// END; — `rest` begins after the word TRIGGER; `length` tells how much of it was read.
Trigger read_trigger(std::string_view rest, std::size_t& length) {
    constexpr std::string_view raise = "SELECT RAISE(ABORT, ";
    const std::size_t begin = rest.find("BEGIN"), end = rest.find("END;");
    const std::size_t said = rest.find(raise);
    ROOTSTOCK_CHECK(begin != std::string_view::npos && end != std::string_view::npos && begin < said && said < end,
                    "a trigger may only forbid: BEGIN SELECT RAISE(ABORT, 'why'); END;");
    length = end + 4;
    Trigger trigger;
    trigger.text = "CREATE TRIGGER" + std::string(rest.substr(0, end + 3));
    Pieces head(rest.substr(0, begin));
    trigger.name = head.next_word();
    ROOTSTOCK_CHECK(head.next_word() == "BEFORE", "a trigger stands BEFORE what it forbids");
    const std::string_view after = head.rest();
    const std::size_t on = after.find(" ON ");
    ROOTSTOCK_CHECK(on != std::string_view::npos, "a trigger stands ON a table");
    trigger.event = trimmed(after.substr(0, on));
    Pieces tail(after.substr(on + 4));
    trigger.table = tail.next_word();
    if (const std::string when = trimmed(tail.rest()); when.starts_with("WHEN")) trigger.condition = when.substr(4);
    const std::string_view body = rest.substr(said + raise.size(), end - said - raise.size());
    const std::size_t close = body.find("')");
    ROOTSTOCK_CHECK(close != std::string_view::npos, "a trigger says why it forbids");
    trigger.message = body.substr(0, close + 1);
    if (const std::size_t where = body.find("WHERE", close); where != std::string_view::npos)
        trigger.condition = body.substr(where + 5, body.find(';', where) - where - 5);
    trigger.condition = trimmed(trigger.condition);
    return trigger;
}

// SQLite compares with IS what may be NULL.
std::string postgres_condition(std::string condition) {
    for (const std::string row : {"OLD.", "NEW."}) {
        replace_all(condition, " IS NOT " + row, " IS DISTINCT FROM " + row);
        replace_all(condition, " IS " + row, " IS NOT DISTINCT FROM " + row);
    }
    return condition;
}

std::string function(const std::string& name, const std::string& body) {
    return "CREATE OR REPLACE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS $guard$ BEGIN " + body +
           " END $guard$;\n";
}

std::string postgres_trigger(const Trigger& trigger) {
    const std::string refuse = "RAISE EXCEPTION USING MESSAGE = " + trigger.message + ";";
    const std::string condition = postgres_condition(trigger.condition);
    const bool looks_elsewhere = condition.find("SELECT") != std::string::npos;  // WHEN may not, a function may
    const std::string row = trigger.event == "DELETE" ? " RETURN OLD;" : " RETURN NEW;";
    std::string sql =
        function(trigger.name, (looks_elsewhere ? "IF " + condition + " THEN " + refuse + " END IF;" : refuse) + row);
    sql += "CREATE OR REPLACE TRIGGER " + trigger.name + " BEFORE " + trigger.event + " ON " + trigger.table +
           " FOR EACH ROW " + (condition.empty() || looks_elsewhere ? "" : "WHEN (" + condition + ") ") +
           "EXECUTE FUNCTION " + trigger.name + "();\n";
    if (trigger.event != "DELETE") return sql;
    const std::string name = trigger.table + "_no_truncate";
    return sql + function(name, refuse + " RETURN NULL;") + "CREATE OR REPLACE TRIGGER " + name +
           " BEFORE TRUNCATE ON " + trigger.table + " FOR EACH STATEMENT EXECUTE FUNCTION " + name + "();\n";
}

// SQLite finds a trigger by its name alone.
std::string postgres_drop(const std::string& name) {
    return "DO $drop$ DECLARE owner text; BEGIN SELECT c.oid::regclass::text INTO STRICT owner FROM pg_trigger t JOIN "
           "pg_class c ON c.oid = t.tgrelid WHERE t.tgname = '" +
           name + "' AND c.relnamespace = current_schema()::regnamespace; EXECUTE 'DROP TRIGGER " + name +
           " ON ' || owner; END $drop$";
}

std::string_view postgres_type(std::string_view word, std::string_view before) {
    if (word == "TEXT" && before != "AS") return "TEXT COLLATE \"C\"";
    if (word == "INTEGER") return "BIGINT";
    return word == "BLOB" ? "BYTEA" : word;
}

// Hands every piece to `plain`, but triggers, made or dropped, to functions of their own.
template <typename Plain, typename Made, typename Dropped>
void walk(std::string_view sql, Plain plain, Made made, Dropped dropped) {
    Pieces pieces(sql);
    while (!pieces.done()) {
        const std::string_view piece = pieces.next();
        if ((piece == "CREATE" || piece == "DROP") && pieces.rest().starts_with(" TRIGGER ")) {
            pieces.skip(std::string_view(" TRIGGER").size());
            if (piece == "DROP") {
                dropped(std::string(pieces.next_word()));
            } else {
                std::size_t length = 0;
                made(read_trigger(pieces.rest(), length));
                pieces.skip(length);
            }
        } else {
            plain(piece);
        }
    }
}

// A dropped table takes its triggers with it; a renamed one keeps them.
void follow_tables(const std::vector<std::string>& words, std::vector<Trigger>& standing) {
    const std::size_t last = words.size() - 1;
    if (words[last - 2] == "DROP" && words[last - 1] == "TABLE")
        std::erase_if(standing, [&](const Trigger& trigger) { return trigger.table == words[last]; });
    if (words[last - 4] != "TABLE" || words[last - 2] != "RENAME" || words[last - 1] != "TO") return;
    for (Trigger& trigger : standing) {
        if (trigger.table != words[last - 3]) continue;
        trigger.table = words[last];
        trigger.renamed = true;
        trigger.text = "CREATE TRIGGER " + trigger.name + " BEFORE " + trigger.event + " ON " + trigger.table +
                       (trigger.condition.empty() ? "" : " WHEN " + trigger.condition) + " BEGIN SELECT RAISE(ABORT, " +
                       trigger.message + "); END";
    }
}

}  // namespace

std::string postgres_script(std::string_view sql) {
    std::string out, before;
    walk(
        sql,
        [&](std::string_view piece) {
            out += postgres_type(piece, before);
            if (is_word(piece.front())) before = piece;
        },
        [&](const Trigger& trigger) { out += postgres_trigger(trigger); },
        [&](const std::string& name) { out += postgres_drop(name); });
    return out;
}

std::vector<Trigger> triggers_of(const std::vector<Migration>& migrations) {
    std::vector<const Migration*> ordered;
    for (const Migration& migration : migrations) ordered.push_back(&migration);
    std::ranges::sort(ordered, {}, &Migration::number);
    std::vector<Trigger> standing;
    for (const Migration* migration : ordered) {
        std::vector<std::string> words{"", "", "", "", "", ""};  // the last six
        walk(
            migration->sql,
            [&](std::string_view piece) {
                if (!is_word(piece.front())) return;
                words.erase(words.begin());
                words.emplace_back(piece);
                follow_tables(words, standing);
            },
            [&](Trigger trigger) { standing.push_back(std::move(trigger)); },
            [&](const std::string& name) {
                std::erase_if(standing, [&](const Trigger& trigger) { return trigger.name == name; });
            });
    }
    return standing;
}

std::string postgres_statement(std::string_view sql, std::span<const Cell> args) {
    constexpr std::string_view drop = "DROP TRIGGER ";
    if (sql.starts_with(drop)) return postgres_drop(std::string(sql.substr(drop.size())));
    constexpr std::string_view types[] = {"BIGINT", "DOUBLE PRECISION", "TEXT"};  // in the order of Kind
    std::string out;
    std::size_t value = 0;
    for (Pieces pieces(sql); !pieces.done();) {
        const std::string_view piece = pieces.next();
        if (piece != ":" || pieces.done() || !is_word(pieces.rest().front())) {
            out += piece;
            continue;
        }
        ROOTSTOCK_CHECK(value < args.size(), "a statement has more names than values");
        const auto type = types[static_cast<std::size_t>(args[value++].kind)];
        out += "CAST(:" + std::string(pieces.next()) + " AS " + std::string(type) + ")";
    }
    return out;
}

}  // namespace rootstock::store
