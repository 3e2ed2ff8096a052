#pragma once
// What the journeys from a request to a paid answer have in common: an Idempotency-Key is claimed first, a name becomes
// a base model and perhaps an adapter on it, and what was held is let go when nothing came of it.
//
// Coroutines of one io_context thread; the store's writer and the inference threads hand back to it.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/base.h"
#include "catalog/catalog.h"
#include "flow/await.h"
#include "flow/served.h"
#include "ledger/ledger.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace rootstock {

// A paid answer, seen from behind: where its time went. The parts overlap nowhere; what is missing to `total` is ours
// (tokens, JSON).
struct JourneyFacts {
    TenantId tenant;
    std::string model;  // the base model
    Usage usage;
    double total = 0;    // seconds, from the order to the durable entry
    double store = 0;    // waiting for durable commits
    double compute = 0;  // this request's part of the machine time of its batches
    double queue = 0;    // the rest between handing over to the machine and its answer: others' turns
};

// What a journey works with; all of it outlives the journey.
struct JourneyParts {
    store::Database& records;
    const ServedModels& models;
    boost::asio::thread_pool& pool;  // for what would hold up the I/O thread
    Clock& clock;
    Home home;
    std::string run;                                  // this process, as owner of its reservations (ledger::mint_run)
    std::function<void(const JourneyFacts&)> told{};  // of every answer that was paid, on the I/O thread; may be empty
};

struct OnceOnly {
    std::string key;          // Idempotency-Key
    std::string route;        // "POST /v1/classify"
    std::string fingerprint;  // of the body
};

// The answer as it leaves, and as it is kept for its idempotency key.
struct Answered {
    int status = 200;
    std::string body;
    bool replayed = false;
    Usage usage;  // nothing when replayed
};

// What a name means to a caller.
struct ResolvedModel {
    const ServedModel* base = nullptr;
    catalog::Adapter adapter{};     // empty id: the base alone
    ResidentAdapterPtr resident{};  // with an adapter
    std::string name;               // as the answer says it: "support@2", or the base's

    bool adapted() const { return !adapter.id.empty(); }
    std::string reference() const { return adapted() ? name : std::string(); }  // as the ledger says it
};

class JourneySteps {
public:
    template <typename T>
    using Task = boost::asio::awaitable<T>;

    explicit JourneySteps(JourneyParts parts) : parts_(std::move(parts)) {}
    const JourneyParts& parts() const { return parts_; }

    // A change of the records, awaited until it is durable.
    template <typename Work>
    Task<std::invoke_result_t<Work&, store::Session&>> write(Work work) const {
        using R = std::invoke_result_t<Work&, store::Session&>;
        auto start = [this, work = std::move(work)](auto done) mutable {
            parts_.records.write_value(std::move(work), std::move(done));
        };
        co_return co_await await_done<R>(std::move(start));
    }

    // Takes the key for `runner`. Nothing: run. An answer: it was given before. conflict: "idempotency_running",
    // "idempotency_key_reused".
    Task<Result<std::optional<Answered>>> claim(const tenant::Caller& caller, const OnceOnly& once,
                                                const RequestId& runner) const;
    // The key of a run that came to nothing is free again.
    Task<void> abandon(const tenant::Caller& caller, const OnceOnly& once, const RequestId& runner) const;

    // The caller's live adapter, its base found and itself in memory. not_found (model_not_found), unavailable
    // (model_broken). This and the next two: permission_denied (model_not_allowed) where the key may not ask it.
    Task<Result<ResolvedModel>> resolve_adapter(const tenant::Caller& caller, const std::string& model) const;
    // Likewise, or a base model whose own head tells classes apart.
    Task<Result<ResolvedModel>> resolve_classifier(const tenant::Caller& caller, const std::string& model) const;
    // A base model that reads texts. `purpose` for the sentence: "embeddings". not_found (model_not_found),
    // unsupported.
    Result<ResolvedModel> resolve_base(const tenant::Caller& caller, const std::string& model,
                                       std::string_view purpose) const;

    // A version in memory, loaded if need be. `model` for the sentence. overloaded, unavailable (model_broken).
    Task<Result<ResidentAdapterPtr>> bring_in(Residency& residency, const catalog::Adapter& adapter,
                                              const std::string& model) const;

    // Nothing is charged; the machine time spent is booked as cost.
    Task<void> let_go(const RequestId& request, std::int64_t compute_micros) const;

    // Before the work: `most` tokens of what the caller may have in a minute. rate_limited.
    static Result<void> take_tokens(const tenant::Caller& caller, std::int64_t most) {
        return caller.admission ? caller.admission->take_tokens(most) : Result<void>{};
    }
    // After it, or when nothing came of it (0): the rest is given back.
    static void settle_tokens(const tenant::Caller& caller, std::int64_t used) {
        if (caller.admission) caller.admission->settle_tokens(used);
    }

    // Tells of an answer that was ordered at `begun`.
    void tell(JourneyFacts facts, double begun) const {
        if (!parts_.told) return;
        facts.total = monotonic_seconds() - begun;
        parts_.told(facts);
    }

    static ledger::IdempotencyKey key_of(const tenant::Caller& caller, const OnceOnly& once) {
        return {caller.tenant, once.route, once.key};
    }

private:
    JourneyParts parts_;
};

}  // namespace rootstock
