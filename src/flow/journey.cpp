#include "flow/journey.h"

namespace rootstock {

template <typename T>
using Task = boost::asio::awaitable<T>;

Task<Result<std::optional<Answered>>> JourneySteps::claim(const tenant::Caller& caller, const OnceOnly& once,
                                                          const RequestId& runner) const {
    auto work = [key = key_of(caller, once), fingerprint = once.fingerprint, runner, now = parts_.clock.now()](
                    store::Session& session) { return ledger::claim(session, key, fingerprint, runner, now); };
    auto claimed = co_await write(std::move(work));
    if (!claimed) co_return fail(claimed.error());
    switch (claimed->state) {
        case ledger::IdempotencyState::replay:
            co_return Answered{claimed->status, std::move(claimed->body), true, {}};
        case ledger::IdempotencyState::running:
            co_return fail(ErrorCode::conflict, "a request with this Idempotency-Key is still running; ask again",
                           "Idempotency-Key", "idempotency_running");
        case ledger::IdempotencyState::other_body:
            co_return fail(ErrorCode::conflict,
                           "this Idempotency-Key was used with another body; take a new key for a new request",
                           "Idempotency-Key", "idempotency_key_reused");
        case ledger::IdempotencyState::fresh:
            break;
    }
    co_return std::nullopt;
}

Task<void> JourneySteps::abandon(const tenant::Caller& caller, const OnceOnly& once, const RequestId& runner) const {
    auto work = [key = key_of(caller, once), runner](store::Session& session) -> Result<void> {
        ledger::abandon(session, key, runner);
        return {};
    };
    if (auto freed = co_await write(std::move(work)); !freed)
        spdlog::warn("{}: its idempotency key stays taken for a minute: {}", runner.text(), freed.error().message);
}

Task<Result<ResolvedModel>> JourneySteps::resolve_adapter(const tenant::Caller& caller,
                                                          const std::string& model) const {
    auto found =
        parts_.records.read([&](store::Session& session) { return catalog::resolve(session, caller.tenant, model); });
    if (!found) co_return fail(found.error());
    if (auto may = tenant::check_may_ask(caller.models, model, found->reference()); !may) co_return fail(may.error());
    if (found->task == "table")
        co_return fail(ErrorCode::unsupported,
                       "the model '" + model + "' reads rows of a table: ask it under /v1/score", "model");
    ResolvedModel resolved{parts_.models.of_digest(found->base_digest), std::move(*found), {}, {}};
    if (!resolved.base)
        co_return fail(ErrorCode::not_found,
                       "the model '" + model + "' is grafted on another base model than those served here", "model",
                       "model_not_found");
    // A tuned model answers under the name it was asked by.
    resolved.name = model.starts_with("ft:") ? model : resolved.adapter.reference();
    auto resident = co_await bring_in(*resolved.base->residency, resolved.adapter, model);
    if (!resident) co_return fail(resident.error());
    resolved.resident = std::move(*resident);
    co_return resolved;
}

Task<Result<ResidentAdapterPtr>> JourneySteps::bring_in(Residency& residency, const catalog::Adapter& adapter,
                                                        const std::string& model) const {
    if (auto ready = residency.find(adapter.id)) co_return ready;
    auto start = [&](auto done) {
        residency.load(adapter.id, parts_.home.adapters() / adapter.id.text(), std::move(done));
    };
    auto loaded = co_await await_done<Result<ResidentAdapterPtr>>(std::move(start));
    if (loaded || loaded.error().code == ErrorCode::overloaded) co_return loaded;
    spdlog::error("adapter {} cannot be served: {}", adapter.id.text(), loaded.error().message);
    co_return fail(ErrorCode::unavailable,
                   "the model '" + model + "' cannot be served now; its operator finds the reason in the log", "model",
                   "model_broken");
}

Task<Result<ResolvedModel>> JourneySteps::resolve_classifier(const tenant::Caller& caller,
                                                             const std::string& model) const {
    auto adapted = co_await resolve_adapter(caller, model);
    if (adapted || adapted.error().code != ErrorCode::not_found) co_return adapted;
    const auto* base = parts_.models.called(model);
    if (!base || !classifies(base->spec())) co_return adapted;
    if (auto may = tenant::check_may_ask(caller.models, model, base->name); !may) co_return fail(may.error());
    co_return ResolvedModel{base, {}, {}, base->name};
}

Result<ResolvedModel> JourneySteps::resolve_base(const tenant::Caller& caller, const std::string& model,
                                                 std::string_view purpose) const {
    const auto* base = parts_.models.called(model);
    if (!base)
        return fail(ErrorCode::not_found,
                    "there is no model '" + model + "' for " + std::string(purpose) +
                        " here; base models are: " + parts_.models.names(),
                    "model", "model_not_found");
    ROOTSTOCK_CHECKED(tenant::check_may_ask(caller.models, model, base->name));
    if (!base->reads_text())
        return fail(ErrorCode::unsupported,
                    "the model '" + model + "' reads no texts, so it is not for " + std::string(purpose), "model");
    return ResolvedModel{base, {}, {}, base->name};
}

Task<void> JourneySteps::let_go(const RequestId& request, std::int64_t compute_micros) const {
    auto work = [request, compute_micros, now = parts_.clock.now()](store::Session& session) {
        return ledger::void_reservation(session, request, compute_micros, now);
    };
    auto gone = co_await write(std::move(work));
    if (!gone) spdlog::warn("{}: its hold stays until it expires: {}", request.text(), gone.error().message);
}

}  // namespace rootstock
