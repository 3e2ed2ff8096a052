#include "outbox/mail.h"

#include <algorithm>
#include <array>

#include "outbox/webhooks.h"

namespace rootstock::outbox {
namespace {

using std::chrono::seconds;
constexpr std::array<seconds, 5> waits = {seconds(60), seconds(300), seconds(1800), seconds(7200), seconds(21600)};

Timestamp later(Timestamp now, std::chrono::microseconds by) { return {now.micros + by.count()}; }

}  // namespace

std::string post_letter(store::Session& session, const Vault& vault, const TenantId& tenant, std::string_view kind,
                        const Letter& letter, Timestamp now) {
    const auto id = mint_id("ltr", now);
    const json::object whole{{"subject", letter.subject}, {"text", letter.text}};
    session.execute(
        "INSERT INTO letter (id, tenant_id, kind, recipient, sealed, state, next_at, created_at) "
        "VALUES (:id, :tenant, :kind, :to, :sealed, 'waiting', :next, :created)",
        id, tenant, kind, letter.to, vault.seal(json::serialize(whole), id), now, now);
    return id;
}

bool letters_due(store::Session& session, Timestamp now) {
    return session.first<std::string>("SELECT id FROM letter WHERE state = 'waiting' AND next_at <= :now LIMIT 1", now)
        .has_value();
}

std::vector<DueLetter> take_due_letters(store::Session& session, std::int64_t limit, std::chrono::seconds lease,
                                        Timestamp now) {
    std::vector<DueLetter> due;
    session.for_each<std::string, std::int64_t, std::string, std::string>(
        "SELECT id, attempts + 1, recipient, sealed FROM letter WHERE state = 'waiting' AND next_at <= :now "
        "ORDER BY next_at, id LIMIT :limit",
        [&](auto... columns) { due.push_back({std::move(columns)...}); }, now, limit);
    for (const auto& letter : due)
        session.execute("UPDATE letter SET next_at = :until, attempts = :attempts WHERE id = :id", later(now, lease),
                        letter.attempts, letter.id);
    return due;
}

Result<Letter> open_letter(const Vault& vault, const DueLetter& due) {
    ROOTSTOCK_TRY(text, vault.unseal(due.sealed, due.id));
    ROOTSTOCK_TRY(value, parse_json(text, "a letter"));
    JsonFields fields(value, "a letter");
    Letter letter{due.to, fields.required_string("subject"), fields.required_string("text")};
    ROOTSTOCK_CHECKED(fields.finish());
    return letter;
}

void record_letter(store::Session& session, const DueLetter& due, LetterFate fate, const std::string& error,
                   Timestamp now) {
    const auto wait = waits[std::min(static_cast<std::size_t>(due.attempts - 1), waits.size() - 1)];
    auto created = session.first<Timestamp>(
        "SELECT created_at FROM letter WHERE id = :id AND state = 'waiting' AND attempts = :attempts", due.id,
        due.attempts);
    if (!created) return;
    if (fate == LetterFate::later && later(now, wait) > later(std::get<0>(*created), delivery_lasts))
        fate = LetterFate::refused;
    const bool done = fate != LetterFate::later;
    session.execute(
        "UPDATE letter SET state = :state, next_at = :next, last_error = :error, sealed = :sealed, done_at = :done "
        "WHERE id = :id",
        fate == LetterFate::sent      ? "sent"
        : fate == LetterFate::refused ? "failed"
                                      : "waiting",
        later(now, wait), error.substr(0, 300), done ? "" : due.sealed, done ? std::optional(now) : std::nullopt,
        due.id);
}

LetterCount count_letters(store::Session& session) {
    auto count = [&](const char* state) {
        return session.value<std::int64_t>("SELECT COUNT(*) FROM letter WHERE state = :state", state);
    };
    return {count("waiting"), count("sent"), count("failed")};
}

}  // namespace rootstock::outbox
