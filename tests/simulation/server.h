#pragma once
// The billing core as a server drives it: what stands in each transaction of a request, of the start and of the
// sweeper. Each step is a function of a session and the time, so that the simulation holds storage, clock and chance; a
// mutant is a server with one step spoiled.

#include <string>

#include "ledger/ledger.h"
#include "reference.h"

namespace rootstock::simulation {

// A request in the server.
struct Request {
    RequestId id;
    TenantId tenant;
    std::string key, body;  // no key: it may be asked twice
    Ask ask;
    std::int64_t cached = 0, wanted = 0;   // of the prompt; what will be written
    std::int64_t written = 0, marked = 0;  // so far
    bool left = false;                     // its caller went away

    ledger::IdempotencyKey once() const { return {tenant, "POST /v1/chat", key}; }
    std::string answer() const { return "the answer of " + id.text(); }
    Used used() const { return {ask.input, cached, written, left}; }
};

class Server {
public:
    virtual ~Server() = default;

    virtual Result<ledger::Idempotency> claim(store::Session& session, const Request& request, Timestamp now);
    virtual Result<ledger::Hold> reserve(store::Session& session, const Request& request, Timestamp now);
    virtual void mark(store::Session& session, const Request& request);
    // The charge and, of a whole answer, the key's record; of a partial one the key is free again.
    virtual Result<ledger::Charge> settle(store::Session& session, const Request& request, Timestamp now);
    virtual Result<void> give_up(store::Session& session, const Request& request, Timestamp now);
    virtual Result<void> free_key(store::Session& session, const Request& request);
    // At the start, on what the run before left.
    virtual Result<void> recover(store::Session& session, const std::string& run, Timestamp now);
    virtual Result<void> sweep(store::Session& session, const std::string& run, Timestamp now);

    // Is the caller told that all went well? `work`: the step's own outcome, before the commit; `commit`: after it.
    virtual bool tells_success(bool /*work*/, bool commit) const { return commit; }
};

}  // namespace rootstock::simulation
