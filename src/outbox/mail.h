#pragma once
// Letters that wait to be sent by e-mail. Their text is sealed while it waits (an invitation holds a secret) and wiped
// when it is gone. Tried after 1 min, 5 min, 30 min, 2 h and then every 6 h, for three days.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "outbox/vault.h"
#include "store/store.h"

namespace rootstock::outbox {

struct Letter {
    std::string to, subject, text;  // plain text, UTF-8
};

// In the transaction of what it tells of. `kind` says in lists what it is ("invitation"). Returns its id.
std::string post_letter(store::Session& session, const Vault& vault, const TenantId& tenant, std::string_view kind,
                        const Letter& letter, Timestamp now);

// For the sender, as take_due of webhooks.
struct DueLetter {
    std::string id;
    std::int64_t attempts = 0;  // this one counted
    std::string to, sealed;
};
bool letters_due(store::Session& session, Timestamp now);
std::vector<DueLetter> take_due_letters(store::Session& session, std::int64_t limit, std::chrono::seconds lease,
                                        Timestamp now);
Result<Letter> open_letter(const Vault& vault, const DueLetter& due);
enum class LetterFate { sent, later, refused };  // refused: no further attempt can help (an unknown mailbox)
void record_letter(store::Session& session, const DueLetter& due, LetterFate fate, const std::string& error,
                   Timestamp now);

struct LetterCount {
    std::int64_t waiting = 0, sent = 0, failed = 0;
};
LetterCount count_letters(store::Session& session);

}  // namespace rootstock::outbox
