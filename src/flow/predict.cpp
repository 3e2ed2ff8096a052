#include "flow/predict.h"

#include <algorithm>
#include <cmath>

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

Result<void> check_classifies(const ResolvedModel& model) {
    if (!model.resident || model.resident->native->classes() > 0) return {};
    return fail(ErrorCode::unsupported,
                "the model '" + model.name + "' does not classify; what writes is asked under /v1/chat/completions",
                "model");
}

// One request under way: what is known of it grows from step to step.
struct Journey {
    PredictOrder order;
    std::string operation;
    ResolvedModel model{};
    PredictRows rows{};
    std::int64_t tokens = 0;
    double begun = monotonic_seconds();
    double stored = 0, inferred = 0;  // seconds

    const std::vector<std::string>& labels() const {
        return model.resident ? model.resident->labels : model.base->base.labels;
    }
    std::int32_t tokens_max() const {
        return model.resident ? model.resident->tokens_max : model.base->spec().positions_max;
    }
};

}  // namespace

struct Predict::State {
    JourneySteps steps;
    PredictLimits limits;

    const JourneyParts& parts() const { return steps.parts(); }

    Task<Result<Answered>> once_only(PredictOrder order, std::function<Task<Result<Answered>>(PredictOrder)> journey);
    Task<Result<Answered>> classify(PredictOrder order, Render<Classified> render);
    Task<Result<Answered>> embed(PredictOrder order, Render<Embedded> render);

    Task<Result<void>> tokenize(Journey& journey);
    Task<Result<void>> reserve(Journey& journey);
    Task<void> give_up(const Journey& journey, std::int64_t compute_micros);
    Task<Result<InferAnswer>> infer(Journey& journey, InferKind kind);
    Task<Result<void>> settle(Journey& journey, Usage usage, std::vector<catalog::Prediction> predictions,
                              std::string body);
    void tell(const Journey& journey, const Usage& usage) const;

    std::vector<catalog::Prediction> predictions_of(const Journey& journey, const Classified& answer) const;
    template <typename Answer>
    Task<std::string> write_out(const Render<Answer>& render, const Answer& answer);
};

template <typename Answer>
Task<std::string> Predict::State::write_out(const Render<Answer>& render, const Answer& answer) {
    auto work = [&render, &answer] { return render(answer); };
    if (static_cast<std::size_t>(answer.usage.rows) <= limits.rows_on_io_thread_max) co_return work();
    co_return co_await run_on(parts().pool, std::move(work));
}

// ---- the journeys ----

Task<Result<Answered>> Predict::State::classify(PredictOrder order, Render<Classified> render) {
    auto operation = order.operation;
    Journey journey{.order = std::move(order), .operation = std::move(operation)};
    if (auto fine = check_inputs(journey.order, limits); !fine) co_return fail(fine.error());
    auto model = co_await steps.resolve_classifier(journey.order.caller, journey.order.model);
    if (!model) co_return fail(model.error());
    journey.model = std::move(*model);
    if (auto fine = check_classifies(journey.model); !fine) co_return fail(fine.error());
    if (auto fine = co_await tokenize(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await reserve(journey); !fine) co_return fail(fine.error());

    const auto kind = journey.model.adapted() ? InferKind::logits : InferKind::head;
    auto found = co_await infer(journey, kind);
    if (!found) {
        co_await give_up(journey, 0);
        co_return fail(found.error());
    }
    Classified answer{journey.model.name, journey.labels(), {}, {}, {}, {}};
    for (const auto& logits : found->rows) answer.probabilities.push_back(softmax(logits));
    answer.usage = {found->tokens, static_cast<std::int64_t>(found->rows.size()), found->compute_micros};
    answer.logits = std::move(found->rows);
    auto predictions = predictions_of(journey, answer);
    for (const auto& prediction : predictions) answer.predictions.push_back(prediction.id);
    auto body = co_await write_out(render, answer);

    auto settled = co_await settle(journey, answer.usage, std::move(predictions), body);
    if (!settled) {
        co_await give_up(journey, answer.usage.compute_micros);
        co_return fail(settled.error());
    }
    tell(journey, answer.usage);
    co_return Answered{200, std::move(body), false, answer.usage};
}

Task<Result<Answered>> Predict::State::embed(PredictOrder order, Render<Embedded> render) {
    Journey journey{.order = std::move(order), .operation = "embed"};
    if (auto fine = check_inputs(journey.order, limits); !fine) co_return fail(fine.error());
    auto model = steps.resolve_base(journey.order.caller, journey.order.model, "embeddings");
    if (!model) co_return fail(model.error());
    journey.model = std::move(*model);
    if (auto fine = co_await tokenize(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await reserve(journey); !fine) co_return fail(fine.error());

    auto found = co_await infer(journey, InferKind::embedding);
    if (!found) {
        co_await give_up(journey, 0);
        co_return fail(found.error());
    }
    Usage usage{found->tokens, static_cast<std::int64_t>(found->rows.size()), found->compute_micros};
    Embedded answer{journey.model.name, std::move(found->rows), usage};
    auto body = co_await write_out(render, answer);

    auto settled = co_await settle(journey, usage, {}, body);
    if (!settled) {
        co_await give_up(journey, usage.compute_micros);
        co_return fail(settled.error());
    }
    tell(journey, usage);
    co_return Answered{200, std::move(body), false, usage};
}

// ---- the steps, in their order ----

// With an Idempotency-Key: the first runs, the others hear what it heard. A failure keeps nothing.
Task<Result<Answered>> Predict::State::once_only(PredictOrder order,
                                                 std::function<Task<Result<Answered>>(PredictOrder)> journey) {
    if (!order.once) co_return co_await journey(std::move(order));
    const auto caller = order.caller;
    const auto once = *order.once;
    const auto runner = order.request;
    auto claimed = co_await steps.claim(caller, once, runner);
    if (!claimed) co_return fail(claimed.error());
    if (*claimed) co_return std::move(**claimed);
    auto answered = co_await journey(std::move(order));
    if (!answered) co_await steps.abandon(caller, once, runner);
    co_return answered;
}

Task<Result<void>> Predict::State::tokenize(Journey& journey) {
    const auto& order = journey.order;
    const auto& model = *journey.model.base;
    auto work = [&order, &model, tokens_max = journey.tokens_max()] { return rows_of(order, tokens_max, model); };
    Result<PredictRows> rows;
    if (bytes_of(order) > limits.bytes_on_io_thread_max || !model.reads_text())
        rows = co_await run_on(parts().pool, std::move(work));
    else
        rows = work();
    if (!rows) co_return fail(rows.error());
    journey.rows = std::move(*rows);
    for (const auto& row : journey.rows.ids) journey.tokens += static_cast<std::int64_t>(row.size());
    if (!journey.rows.pictures.empty())
        journey.tokens += static_cast<std::int64_t>(journey.rows.pictures.size() * picture_tokens(model.spec()));
    co_return Result<void>{};
}

Task<Result<void>> Predict::State::reserve(Journey& journey) {
    auto now = parts().clock.now();
    const auto& order = journey.order;
    if (auto fine = JourneySteps::take_tokens(order.caller, journey.tokens); !fine) co_return fine;
    auto micros = std::chrono::duration_cast<std::chrono::microseconds>(limits.time_max + std::chrono::seconds(60));
    ledger::ReserveRequest request{order.request,    order.caller.tenant,
                                   order.caller.key, journey.model.base->name,
                                   journey.tokens,   Timestamp{now.micros + micros.count()},
                                   parts().run};
    auto work = [request = std::move(request), now](store::Session& session) {
        return ledger::reserve(session, request, now);
    };
    const double asked = monotonic_seconds();
    auto hold = co_await steps.write(std::move(work));
    journey.stored += monotonic_seconds() - asked;
    if (hold) co_return Result<void>{};
    JourneySteps::settle_tokens(order.caller, 0);
    co_return fail(hold.error());
}

Task<void> Predict::State::give_up(const Journey& journey, std::int64_t compute_micros) {
    JourneySteps::settle_tokens(journey.order.caller, 0);
    co_await steps.let_go(journey.order.request, compute_micros);
}

Task<Result<InferAnswer>> Predict::State::infer(Journey& journey, InferKind kind) {
    const auto& caller = journey.order.caller;
    InferRequest request{.tenant = journey.order.batch ? TenantId(caller.tenant.text() + "/batch") : caller.tenant,
                         .kind = kind,
                         .adapter = journey.model.resident ? journey.model.resident->native : nullptr,
                         .rows = std::move(journey.rows.ids),
                         .pictures = std::move(journey.rows.pictures),
                         .deadline = monotonic_seconds() + std::chrono::duration<double>(limits.time_max).count()};
    auto& scheduler = *journey.model.base->scheduler;
    InferTicket ticket = 0;
    http::WhenGone gone(*journey.order.presence, [&] { scheduler.cancel(ticket); });
    auto start = [&, request = std::move(request)](auto done) mutable {
        ticket = scheduler.submit(std::move(request), std::move(done));
    };
    const double asked = monotonic_seconds();
    auto found = co_await await_done<Result<InferAnswer>>(std::move(start));
    journey.inferred = monotonic_seconds() - asked;
    co_return found;
}

Task<Result<void>> Predict::State::settle(Journey& journey, Usage usage, std::vector<catalog::Prediction> predictions,
                                          std::string body) {
    const auto& order = journey.order;
    ledger::Settlement settlement{
        order.request, journey.operation,       journey.model.base->name, journey.model.reference(),
        usage,         journey.model.adapter.id};
    auto work = [this, &order, &body, settlement = std::move(settlement), predictions = std::move(predictions),
                 now = parts().clock.now()](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::post(session, settlement, now));
        catalog::add_predictions(session, predictions);
        if (!order.once) return {};
        return ledger::finish(session, JourneySteps::key_of(order.caller, *order.once), order.request, 200, body, now);
    };
    const double asked = monotonic_seconds();
    auto settled = co_await steps.write(std::move(work));
    journey.stored += monotonic_seconds() - asked;
    co_return settled;
}

void Predict::State::tell(const Journey& journey, const Usage& usage) const {
    JourneyFacts facts{journey.order.caller.tenant, journey.model.base->name, usage};
    facts.store = journey.stored;
    facts.compute = std::min(static_cast<double>(usage.compute_micros) * 1e-6, journey.inferred);
    facts.queue = journey.inferred - facts.compute;
    steps.tell(std::move(facts), journey.begun);
}

std::vector<catalog::Prediction> Predict::State::predictions_of(const Journey& journey,
                                                                const Classified& answer) const {
    std::vector<catalog::Prediction> predictions;
    auto now = parts().clock.now();
    for (std::size_t i = 0; i < answer.probabilities.size(); ++i) {
        const auto& shares = answer.probabilities[i];
        auto best = static_cast<std::size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
        predictions.push_back({mint<PredictionTag>(now), journey.order.caller.tenant, journey.order.request,
                               static_cast<std::int64_t>(i), journey.model.adapter.id, answer.labels[best],
                               shares[best], digest_of(journey.order.inputs[i]), now});
    }
    return predictions;
}

// ---- the face ----

Predict::Predict(JourneyParts parts, PredictLimits limits)
    : state_(new State{JourneySteps(std::move(parts)), limits}) {}
Predict::~Predict() = default;

void Predict::set_limits(const PredictLimits& limits) { state_->limits = limits; }

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
