#pragma once
// outbox: what has to leave the house, kept until it is gone. A row is written in the transaction of the effect that it
// tells of, so that neither is there without the other; a sender (flow/deliver) takes due rows, sends them and writes
// down how it went. So a message leaves at least once; its id, the same every time, lets the receiver drop repetitions.
//
//   vault.h     the server's own key: secrets that follow from it, texts sealed with it
//   mac.h       HMAC and what goes with it
//   webhooks.h  events, the endpoints that want them, deliveries
//   mail.h      letters
//
// It stands below tenant, ledger and catalog, which all announce.

#include "outbox/mac.h"
#include "outbox/mail.h"
#include "outbox/vault.h"
#include "outbox/webhooks.h"

namespace rootstock::outbox {

std::vector<store::Migration> migrations();

}  // namespace rootstock::outbox
