#include "flow/predict.h"

#include <algorithm>
#include <cmath>

#include "flow/await.h"
#include "flow/predict_input.h"

namespace rootstock {
namespace {

template <typename T>
using Task = boost::asio::awaitable<T>;

// exp(logit - largest) over their sum.
std::vector<float> softmax(const std::vector<float>& logits) {
    float largest = *std::max_element(logits.begin(), logits.end());
    std::vector<float> shares;
    double sum = 0;
    for (float logit : logits) sum += shares.emplace_back(std::exp(logit - largest));
    for (float& share : shares) share = static_cast<float>(share / sum);
    return shares;
}

// One request under way: what is known of it grows from step to step.
struct Journey {
    PredictOrder order;
    std::string operation;
    const ServedModel* base = nullptr;
    catalog::Adapter adapter{};     // classify only
    ResidentAdapterPtr resident{};  // classify only
    std::vector<std::vector<std::int32_t>> rows{};
    std::int64_t tokens = 0;
    std::string model{};  // as the answer names it
};

}  // namespace

struct Predict::State {
    PredictParts parts;
    PredictLimits limits;

    Task<Result<Answered>> once_only(PredictOrder order, std::function<Task<Result<Answered>>(PredictOrder)> journey);
    Task<Result<Answered>> classify(PredictOrder order, Render<Classified> render);
    Task<Result<Answered>> embed(PredictOrder order, Render<Embedded> render);

    Task<Result<void>> resolve(Journey& journey);
    Result<void> resolve_base(Journey& journey) const;
    Task<Result<void>> tokenize(Journey& journey, std::int32_t tokens_max);
    Task<Result<void>> reserve(const Journey& journey);
    Task<Result<InferAnswer>> infer(Journey& journey, InferKind kind);
    Task<Result<void>> settle(const Journey& journey, Usage usage, std::vector<catalog::Prediction> predictions,
                              std::string body);
    Task<void> let_go(const Journey& journey, std::int64_t compute_micros);

    std::vector<catalog::Prediction> predictions_of(const Journey& journey, const Classified& answer) const;
    ledger::IdempotencyKey key_of(const PredictOrder& order) const {
        return {order.caller.tenant, order.once->route, order.once->key};
    }
    template <typename Answer>
    Task<std::string> write_out(const Render<Answer>& render, const Answer& answer);
    // A change of the records, awaited until it is durable.
    template <typename Work>
    Task<std::invoke_result_t<Work&, store::Session&>> write(Work work);
};

template <typename Work>
Task<std::invoke_result_t<Work&, store::Session&>> Predict::State::write(Work work) {
    using R = std::invoke_result_t<Work&, store::Session&>;
    auto start = [this, work = std::move(work)](auto done) mutable {
        parts.records.write_value(std::move(work), std::move(done));
    };
    co_return co_await await_done<R>(std::move(start));
}

template <typename Answer>
Task<std::string> Predict::State::write_out(const Render<Answer>& render, const Answer& answer) {
    auto work = [&render, &answer] { return render(answer); };
    if (static_cast<std::size_t>(answer.usage.rows) <= limits.rows_on_io_thread_max) co_return work();
    co_return co_await run_on(parts.pool, std::move(work));
}

// ---- the journeys ----

Task<Result<Answered>> Predict::State::classify(PredictOrder order, Render<Classified> render) {
    Journey journey{.order = std::move(order), .operation = "classify"};
    if (auto fine = check_inputs(journey.order, limits); !fine) co_return fail(fine.error());
    if (auto fine = co_await resolve(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await tokenize(journey, journey.resident->tokens_max); !fine) co_return fail(fine.error());
    if (auto fine = co_await reserve(journey); !fine) co_return fail(fine.error());

    auto found = co_await infer(journey, InferKind::logits);
    if (!found) {
        co_await let_go(journey, 0);
        co_return fail(found.error());
    }
    Classified answer{journey.model, journey.resident->labels, {}, {}, {}};
    for (const auto& logits : found->rows) answer.probabilities.push_back(softmax(logits));
    answer.usage = {found->tokens, static_cast<std::int64_t>(found->rows.size()), found->compute_micros};
    auto predictions = predictions_of(journey, answer);
    for (const auto& prediction : predictions) answer.predictions.push_back(prediction.id);
    auto body = co_await write_out(render, answer);

    auto settled = co_await settle(journey, answer.usage, std::move(predictions), body);
    if (!settled) {
        co_await let_go(journey, answer.usage.compute_micros);
        co_return fail(settled.error());
    }
    co_return Answered{200, std::move(body), false, answer.usage};
}

Task<Result<Answered>> Predict::State::embed(PredictOrder order, Render<Embedded> render) {
    Journey journey{.order = std::move(order), .operation = "embed"};
    if (auto fine = check_inputs(journey.order, limits); !fine) co_return fail(fine.error());
    if (auto fine = resolve_base(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await tokenize(journey, journey.base->spec().positions_max); !fine) co_return fail(fine.error());
    if (auto fine = co_await reserve(journey); !fine) co_return fail(fine.error());

    auto found = co_await infer(journey, InferKind::embedding);
    if (!found) {
        co_await let_go(journey, 0);
        co_return fail(found.error());
    }
    Usage usage{found->tokens, static_cast<std::int64_t>(found->rows.size()), found->compute_micros};
    Embedded answer{journey.model, std::move(found->rows), usage};
    auto body = co_await write_out(render, answer);

    auto settled = co_await settle(journey, usage, {}, body);
    if (!settled) {
        co_await let_go(journey, usage.compute_micros);
        co_return fail(settled.error());
    }
    co_return Answered{200, std::move(body), false, usage};
}

// ---- the steps, in their order ----

// With an Idempotency-Key: the first runs, the others hear what it heard. A failure keeps nothing.
Task<Result<Answered>> Predict::State::once_only(PredictOrder order,
                                                 std::function<Task<Result<Answered>>(PredictOrder)> journey) {
    if (!order.once) co_return co_await journey(std::move(order));
    auto key = key_of(order);
    auto runner = order.request;
    auto claim = [&, fingerprint = order.once->fingerprint, now = parts.clock.now()](store::Session& session) {
        return ledger::claim(session, key, fingerprint, runner, now);
    };
    auto claimed = co_await write(std::move(claim));
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
    auto answered = co_await journey(std::move(order));
    if (answered) co_return answered;
    auto abandon = [&](store::Session& session) -> Result<void> {
        ledger::abandon(session, key, runner);
        return {};
    };
    if (auto freed = co_await write(std::move(abandon)); !freed)
        spdlog::warn("{}: its idempotency key stays taken for a minute: {}", runner.text(), freed.error().message);
    co_return answered;
}

Task<Result<void>> Predict::State::resolve(Journey& journey) {
    const auto& order = journey.order;
    auto adapter = parts.records.read([&](store::Session& session) -> Result<catalog::Adapter> {
        return catalog::resolve(session, order.caller.tenant, order.model);
    });
    if (!adapter) co_return fail(adapter.error());
    journey.base = parts.models.of_digest(adapter->base_digest);
    if (!journey.base)
        co_return fail(ErrorCode::not_found,
                       "the model '" + order.model + "' is grafted on another base model than those served here",
                       "model", "model_not_found");
    journey.adapter = std::move(*adapter);
    journey.model = journey.adapter.reference();
    auto& residency = *journey.base->residency;
    journey.resident = residency.find(journey.adapter.id);
    if (journey.resident) co_return Result<void>{};
    auto start = [&](auto done) {
        const auto& id = journey.adapter.id;
        residency.load(id, parts.home.adapters() / id.text(), std::move(done));
    };
    auto loaded = co_await await_done<Result<ResidentAdapterPtr>>(std::move(start));
    if (!loaded) {
        spdlog::error("adapter {} cannot be served: {}", journey.adapter.id.text(), loaded.error().message);
        co_return fail(ErrorCode::unavailable,
                       "the model '" + order.model + "' cannot be served now; its operator finds the reason in the log",
                       "model", "model_broken");
    }
    journey.resident = std::move(*loaded);
    co_return Result<void>{};
}

Result<void> Predict::State::resolve_base(Journey& journey) const {
    const auto& model = journey.order.model;
    journey.base = parts.models.called(model);
    if (!journey.base)
        return fail(ErrorCode::not_found,
                    "there is no model '" + model + "' for embeddings here; base models are: " + parts.models.names(),
                    "model", "model_not_found");
    if (!journey.base->reads_text())
        return fail(ErrorCode::unsupported, "the model '" + model + "' reads no texts, so it makes no vectors of them",
                    "model");
    journey.model = journey.base->name;
    return {};
}

Task<Result<void>> Predict::State::tokenize(Journey& journey, std::int32_t tokens_max) {
    const auto& order = journey.order;
    const auto& tokenizer = journey.base->base.tokenizer;
    auto work = [&order, &tokenizer, tokens_max] { return tokens_of(order, tokens_max, tokenizer); };
    Result<std::vector<std::vector<std::int32_t>>> rows;
    if (bytes_of(order) > limits.bytes_on_io_thread_max)
        rows = co_await run_on(parts.pool, std::move(work));
    else
        rows = work();
    if (!rows) co_return fail(rows.error());
    journey.rows = std::move(*rows);
    for (const auto& row : journey.rows) journey.tokens += static_cast<std::int64_t>(row.size());
    co_return Result<void>{};
}

Task<Result<void>> Predict::State::reserve(const Journey& journey) {
    auto now = parts.clock.now();
    const auto& order = journey.order;
    auto micros = std::chrono::duration_cast<std::chrono::microseconds>(limits.time_max + std::chrono::seconds(60));
    ledger::ReserveRequest request{order.request,      order.caller.tenant, order.caller.key,
                                   journey.base->name, journey.tokens,      Timestamp{now.micros + micros.count()},
                                   parts.run};
    auto work = [request = std::move(request), now](store::Session& session) {
        return ledger::reserve(session, request, now);
    };
    auto hold = co_await write(std::move(work));
    if (!hold) co_return fail(hold.error());
    co_return Result<void>{};
}

Task<Result<InferAnswer>> Predict::State::infer(Journey& journey, InferKind kind) {
    InferRequest request{.tenant = journey.order.caller.tenant,
                         .kind = kind,
                         .adapter = journey.resident ? journey.resident->native : nullptr,
                         .rows = std::move(journey.rows),
                         .deadline = monotonic_seconds() + std::chrono::duration<double>(limits.time_max).count()};
    auto start = [&journey, request = std::move(request)](auto done) mutable {
        journey.base->scheduler->submit(std::move(request), std::move(done));
    };
    co_return co_await await_done<Result<InferAnswer>>(std::move(start));
}

Task<Result<void>> Predict::State::settle(const Journey& journey, Usage usage,
                                          std::vector<catalog::Prediction> predictions, std::string body) {
    const auto& order = journey.order;
    ledger::Settlement settlement{
        order.request, journey.operation, journey.base->name, journey.resident ? journey.model : "",
        usage,         journey.adapter.id};
    auto work = [this, &order, &body, settlement = std::move(settlement), predictions = std::move(predictions),
                 now = parts.clock.now()](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::post(session, settlement, now));
        catalog::add_predictions(session, predictions);
        if (!order.once) return {};
        return ledger::finish(session, key_of(order), order.request, 200, body, now);
    };
    co_return co_await write(std::move(work));
}

Task<void> Predict::State::let_go(const Journey& journey, std::int64_t compute_micros) {
    const auto& request = journey.order.request;
    auto work = [&request, compute_micros, now = parts.clock.now()](store::Session& session) {
        return ledger::void_reservation(session, request, compute_micros, now);
    };
    auto gone = co_await write(std::move(work));
    if (!gone) spdlog::warn("{}: its hold stays until it expires: {}", request.text(), gone.error().message);
}

std::vector<catalog::Prediction> Predict::State::predictions_of(const Journey& journey,
                                                                const Classified& answer) const {
    std::vector<catalog::Prediction> predictions;
    auto now = parts.clock.now();
    for (std::size_t i = 0; i < answer.probabilities.size(); ++i) {
        const auto& shares = answer.probabilities[i];
        auto best = static_cast<std::size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
        predictions.push_back({mint<PredictionTag>(now), journey.order.caller.tenant, journey.order.request,
                               static_cast<std::int64_t>(i), journey.adapter.id, answer.labels[best], shares[best],
                               digest_of(journey.order.inputs[i]), now});
    }
    return predictions;
}

// ---- the face ----

Predict::Predict(PredictParts parts, PredictLimits limits) : state_(new State{std::move(parts), limits}) {}
Predict::~Predict() = default;

Task<Result<Answered>> Predict::classify(PredictOrder order, Render<Classified> render) {
    return state_->once_only(std::move(order), [this, render = std::move(render)](PredictOrder fresh) {
        return state_->classify(std::move(fresh), render);
    });
}

Task<Result<Answered>> Predict::embed(PredictOrder order, Render<Embedded> render) {
    return state_->once_only(std::move(order), [this, render = std::move(render)](PredictOrder fresh) {
        return state_->embed(std::move(fresh), render);
    });
}

}  // namespace rootstock
