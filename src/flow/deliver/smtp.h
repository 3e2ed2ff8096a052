#pragma once
// A letter to a mail server (RFC 5321, RFC 5322) through libcurl. The connection must become secret by STARTTLS, or be
// so from the start (smtps://); only a server on the loopback is spoken to in the open.

#include <string>

#include "base/base.h"
#include "outbox/outbox.h"

namespace rootstock {

struct SmtpSettings {
    std::string url{};   // smtp://mail.example.com:587 or smtps://mail.example.com; empty: letters are not sent
    std::string from{};  // "billing@example.com"
    std::string user{}, password{};  // never logged
    long seconds_max = 30;
};

// invalid_argument, param "smtp-url" or "smtp-from".
Result<void> check_smtp(const SmtpSettings& settings);

// The letter as it travels: UTF-8 in Base64, the subject as an encoded word (RFC 2047); no value can add a header.
std::string message_of(const SmtpSettings& settings, const outbox::Letter& letter, const std::string& id,
                       Timestamp now);

struct SmtpEnd {
    outbox::LetterFate fate = outbox::LetterFate::later;
    std::string error{};
};
SmtpEnd send_letter(const SmtpSettings& settings, const outbox::Letter& letter, const std::string& id, Timestamp now);

}  // namespace rootstock
