// The step "claim": Idempotency-Key on the management API (draft-ietf-httpapi-idempotency-key-header-07; how it works:
// ledger/idempotency.h). The routes of /v1 that are paid claim theirs together with their hold.

#include "app/contract/contract.h"
#include "app/pipeline/steps.h"

namespace rootstock {
namespace {

// Of what is asked for: the path and the query belong to it as the body does.
std::string fingerprint_of(const Exchange& exchange) {
    return ledger::fingerprint(json::object{
        {"path", exchange.request.path}, {"query", exchange.request.query}, {"body", exchange.fingerprint}});
}

Result<void> tell(Exchange& exchange, ledger::Idempotency&& seen) {
    switch (seen.state) {
        case ledger::IdempotencyState::fresh:
            return {};
        case ledger::IdempotencyState::running:
            return fail(ErrorCode::conflict, "the first request with this Idempotency-Key is still under way",
                        "Idempotency-Key", "idempotency_running");
        case ledger::IdempotencyState::other_body:
            return fail(ErrorCode::conflict, "this Idempotency-Key was used for another request: take a new one",
                        "Idempotency-Key", "idempotency_key_reused");
        case ledger::IdempotencyState::replay:
            break;
    }
    exchange.answered = true;
    exchange.response.status = seen.status;
    exchange.response.body = std::move(seen.body);
    exchange.response.headers.push_back({"Idempotent-Replayed", "true"});
    return {};
}

}  // namespace

Task<Result<void>> claim(Exchange& exchange) {
    if (exchange.route->endpoint.access != Access::manage) co_return Result<void>{};
    const auto* operation = Contract::built_in().find(exchange.route->method, exchange.route->pattern);
    const auto given = exchange.request.header("Idempotency-Key");
    if (!operation->repeatable || !given) co_return Result<void>{};
    const ledger::IdempotencyKey key{exchange.actor.tenant.value_or(tenant::house),
                                     exchange.route->method + " " + exchange.route->pattern, std::string(*given)};
    const auto now = exchange.services.clock.now();
    auto work = [&](store::Session& session) {
        return ledger::claim(session, key, fingerprint_of(exchange), exchange.id, now);
    };
    auto seen = co_await exchange.services.write(work);
    if (!seen) co_return fail(seen.error());
    const bool fresh = seen->state == ledger::IdempotencyState::fresh;
    if (fresh) exchange.repeat = key;
    co_return tell(exchange, std::move(*seen));
}

Task<Result<void>> close_claim(Exchange& exchange, const Result<http::Response>& response) {
    const auto now = exchange.services.clock.now();
    auto work = [&](store::Session& session) -> Result<void> {
        if (response && response->status < 300)
            return ledger::finish(session, *exchange.repeat, exchange.id, response->status, response->body, now);
        ledger::abandon(session, *exchange.repeat, exchange.id);
        return {};
    };
    auto closed = co_await exchange.services.write(work);
    exchange.repeat.reset();
    co_return closed;
}

}  // namespace rootstock
