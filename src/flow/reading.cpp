#include "flow/reading.h"

#include <algorithm>

#include "flow/await.h"

namespace rootstock {

// One request under way: what is known of it grows from step to step.
struct Read::Journey {
    const ReadOrder& order;
    const ReadTask& task;
    ResolvedModel model{};
    ReadRows rows{};
    std::int64_t tokens = 0;
    double begun = monotonic_seconds();
    double stored = 0, inferred = 0;  // seconds
};

namespace {

Result<void> check_head(const ServedModel& model, const ReadTask& task) {
    if (task.embeddings || task.reads_with_head(model)) return {};
    return fail(ErrorCode::unsupported,
                "the model '" + model.name + "' has no head for " + task.purpose + "; pull one that was trained for it",
                "model");
}

}  // namespace

bool ReadTask::reads_with_head(const ServedModel& model) const {
    return std::ranges::find(heads, model.spec().head.kind) != heads.end();
}

boost::asio::awaitable<Result<Answered>> Read::run(ReadOrder order, ReadTask task) {
    if (!order.once) co_return co_await read(order, task);
    auto claimed = co_await steps_.claim(order.caller, *order.once, order.request);
    if (!claimed) co_return fail(claimed.error());
    if (*claimed) co_return std::move(**claimed);
    auto answered = co_await read(order, task);
    if (!answered) co_await steps_.abandon(order.caller, *order.once, order.request);
    co_return answered;
}

boost::asio::awaitable<Result<Answered>> Read::read(const ReadOrder& order, const ReadTask& task) {
    Journey journey{order, task};
    auto model = steps_.resolve_base(order.caller, order.model, task.purpose);
    if (!model) co_return fail(model.error());
    journey.model = std::move(*model);
    if (auto fine = check_head(*journey.model.base, task); !fine) co_return fail(fine.error());
    if (auto fine = co_await tokenize(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await reserve(journey); !fine) co_return fail(fine.error());

    auto found = co_await infer(journey);
    if (!found) {
        co_await give_up(journey, 0);
        co_return fail(found.error());
    }
    const Usage usage{found->tokens, static_cast<std::int64_t>(found->rows.size()), found->compute_micros};
    auto write = [&] { return task.answer(*journey.model.base, *found, usage); };
    auto body = co_await run_on(steps_.parts().pool, std::move(write));

    auto settled = co_await settle(journey, usage, body);
    if (!settled) {
        co_await give_up(journey, usage.compute_micros);
        co_return fail(settled.error());
    }
    tell(journey, usage);
    co_return Answered{200, std::move(body), false, usage};
}

boost::asio::awaitable<Result<void>> Read::tokenize(Journey& journey) {
    auto work = [&] { return journey.task.tokenize(*journey.model.base); };
    auto rows = co_await run_on(steps_.parts().pool, std::move(work));
    if (!rows) co_return fail(rows.error());
    journey.rows = std::move(*rows);
    for (const auto& row : journey.rows.ids) journey.tokens += static_cast<std::int64_t>(row.size());
    co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Read::reserve(Journey& journey) {
    const auto& parts = steps_.parts();
    const auto now = parts.clock.now();
    const auto& order = journey.order;
    if (auto fine = JourneySteps::take_tokens(order.caller, journey.tokens); !fine) co_return fine;
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(limits_.time_max + std::chrono::seconds(60));
    ledger::ReserveRequest request{order.request,    order.caller.tenant,
                                   order.caller.key, journey.model.base->name,
                                   journey.tokens,   Timestamp{now.micros + micros.count()},
                                   parts.run};
    auto work = [request = std::move(request), now](store::Session& session) {
        return ledger::reserve(session, request, now);
    };
    const double asked = monotonic_seconds();
    auto hold = co_await steps_.write(std::move(work));
    journey.stored += monotonic_seconds() - asked;
    if (hold) co_return Result<void>{};
    JourneySteps::settle_tokens(order.caller, 0);
    co_return fail(hold.error());
}

boost::asio::awaitable<void> Read::give_up(const Journey& journey, std::int64_t compute_micros) {
    JourneySteps::settle_tokens(journey.order.caller, 0);
    co_await steps_.let_go(journey.order.request, compute_micros);
}

void Read::tell(const Journey& journey, const Usage& usage) const {
    JourneyFacts facts{journey.order.caller.tenant, journey.model.base->name, usage};
    facts.store = journey.stored;
    facts.compute = std::min(static_cast<double>(usage.compute_micros) * 1e-6, journey.inferred);
    facts.queue = journey.inferred - facts.compute;
    steps_.tell(std::move(facts), journey.begun);
}

boost::asio::awaitable<Result<InferAnswer>> Read::infer(Journey& journey) {
    const bool head = journey.task.reads_with_head(*journey.model.base);
    InferRequest request{.tenant = journey.order.caller.tenant,
                         .kind = head ? InferKind::head : InferKind::embedding,
                         .rows = std::move(journey.rows.ids),
                         .types = std::move(journey.rows.types),
                         .deadline = monotonic_seconds() + std::chrono::duration<double>(limits_.time_max).count()};
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

boost::asio::awaitable<Result<void>> Read::settle(Journey& journey, Usage usage, const std::string& body) {
    const auto& order = journey.order;
    ledger::Settlement settlement{order.request, journey.task.operation, journey.model.base->name, "", usage, {}};
    auto work = [&order, &body, settlement = std::move(settlement),
                 now = steps_.parts().clock.now()](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::post(session, settlement, now));
        if (!order.once) return {};
        return ledger::finish(session, JourneySteps::key_of(order.caller, *order.once), order.request, 200, body, now);
    };
    const double asked = monotonic_seconds();
    auto settled = co_await steps_.write(std::move(work));
    journey.stored += monotonic_seconds() - asked;
    co_return settled;
}

}  // namespace rootstock
