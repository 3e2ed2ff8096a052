#include "server.h"

namespace rootstock::simulation {

Result<ledger::Idempotency> Server::claim(store::Session& session, const Request& request, Timestamp now) {
    const json::value body(request.body);
    return ledger::claim(session, request.once(), ledger::fingerprint(body), request.id, now);
}

Result<ledger::Hold> Server::reserve(store::Session& session, const Request& request, Timestamp now) {
    return ledger::reserve(session,
                           {request.id, request.tenant, ApiKeyId("key_1"), request.ask.model, request.ask.input,
                            request.ask.expires, request.ask.run, request.ask.output_max, "chat"},
                           now);
}

void Server::mark(store::Session& session, const Request& request) {
    ledger::mark_progress(session, request.id, request.written);
}

Result<ledger::Charge> Server::settle(store::Session& session, const Request& request, Timestamp now) {
    const Usage usage{.input_tokens = request.ask.input,
                      .rows = 1,
                      .compute_micros = 1000 + request.written,
                      .output_tokens = request.written,
                      .cached_tokens = request.cached};
    ROOTSTOCK_TRY(charge, ledger::post(session,
                                       {request.id, "chat", request.ask.model, "", usage, AdapterId(),
                                        request.left ? "client_gone" : "stop", request.left},
                                       now));
    if (request.key.empty()) return std::move(charge);
    if (request.left) {
        ledger::abandon(session, request.once(), request.id);
    } else {
        ROOTSTOCK_CHECKED(ledger::finish(session, request.once(), request.id, 200, request.answer(), now));
    }
    return std::move(charge);
}

Result<void> Server::give_up(store::Session& session, const Request& request, Timestamp now) {
    return ledger::void_reservation(session, request.id, request.written, now);
}

Result<void> Server::free_key(store::Session& session, const Request& request) {
    ledger::abandon(session, request.once(), request.id);
    return {};
}

Result<void> Server::recover(store::Session& session, const std::string& run, Timestamp now) {
    if (ledger::begin_run(session, run, "simulated:/home", now) == 0) ledger::free_abandoned_keys(session);
    ledger::settle_abandoned(session, run, now);
    ledger::void_abandoned(session, run, now);
    return {};
}

Result<void> Server::sweep(store::Session& session, const std::string& run, Timestamp now) {
    ledger::keep_run(session, run, now);
    ledger::settle_abandoned(session, run, now);
    ledger::void_abandoned(session, run, now);
    ledger::forget_old_keys(session, now);
    ledger::expire_overdue(session, now);
    ledger::advance_subscriptions(session, now);
    ledger::advance_grants(session, now);
    return {};
}

}  // namespace rootstock::simulation
