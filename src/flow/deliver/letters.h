#pragma once
// What is written to people, in English and Chinese.

#include <string>

#include "outbox/outbox.h"

namespace rootstock::letters {

enum class Language { english, chinese };

struct Invitation {
    std::string to, tenant, role, token;
    Timestamp expires;
};
outbox::Letter invitation(Language language, const Invitation& facts);

struct Confirmation {
    std::string to, token;
    Timestamp expires;
};
outbox::Letter confirmation(Language language, const Confirmation& facts);

struct Bill {
    std::string to, tenant, number, amount, currency, due;  // "INV-000017", "12.35", "USD", "2026-12-10"
};
outbox::Letter invoice(Language language, const Bill& facts);
outbox::Letter reminder(Language language, const Bill& facts, int step);  // of dunning, from 1

struct SignUpLink {
    std::string to, name, plan, link;
    Timestamp expires;
};
outbox::Letter sign_up(Language language, const SignUpLink& facts);
// To who asked for a trial and has had one: the only place where that is told.
outbox::Letter known_already(Language language, const std::string& to, const std::string& url);

}  // namespace rootstock::letters
