#include "flow/score_rows.h"

#include <algorithm>

#include "flow/await.h"

namespace rootstock {

// One request under way: what is known of it grows from step to step.
struct ScoreRows::Journey {
    ScoreRowsOrder& order;
    catalog::Adapter adapter{};
    ResidentAdapterPtr resident{};
    EncodedTable encoded{};
    double begun = monotonic_seconds();
    double stored = 0, inferred = 0;  // seconds

    const TableModel& table() const { return *resident->table; }
};

namespace {

std::string place(std::int64_t row) { return "rows[" + std::to_string(row - 1) + "]"; }

// A column that no model knows came with a row: which?
std::unexpected<Error> refused(Error error, const TableRows& rows) {
    const auto found = std::ranges::find(rows.columns, error.param);
    if (error.reason == "unknown_column" && found != rows.columns.end()) {
        const auto column = static_cast<std::size_t>(found - rows.columns.begin());
        const auto has = [&](const Record& record) {
            return column < record.values.size() && record.values[column].has_value();
        };
        const auto row = std::ranges::find_if(rows.records, has);
        if (row != rows.records.end()) error.message = place(row->row) + ": " + error.message;
    }
    error.param = "rows";
    return fail(std::move(error));
}

Result<EncodedTable> encode_rows(const TableModel& model, const TableRows& rows, bool lenient) {
    auto encoded = model.encode(rows);
    if (!encoded) return refused(encoded.error(), rows);
    if (lenient || encoded->problems.empty()) return encoded;
    const auto& first = encoded->problems.front();
    auto more = encoded->problems.size() - 1;
    return fail(ErrorCode::invalid_argument,
                place(first.row) + ", column '" + first.field + "': " + first.reason + " only with \"lenient\": true" +
                    (more > 0 ? " (and " + std::to_string(more) + " cells more)" : ""),
                "rows", "unreadable_cell");
}

}  // namespace

boost::asio::awaitable<Result<Answered>> ScoreRows::run(ScoreRowsOrder order, Render render) {
    if (!order.once) co_return co_await score(order, render);
    auto claimed = co_await steps_.claim(order.caller, *order.once, order.request);
    if (!claimed) co_return fail(claimed.error());
    if (*claimed) co_return std::move(**claimed);
    auto answered = co_await score(order, render);
    if (!answered) co_await steps_.abandon(order.caller, *order.once, order.request);
    co_return answered;
}

boost::asio::awaitable<Result<Answered>> ScoreRows::score(ScoreRowsOrder& order, const Render& render) {
    Journey journey{order};
    if (auto fine = co_await resolve(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await encode(journey); !fine) co_return fail(fine.error());
    if (auto fine = co_await reserve(journey); !fine) co_return fail(fine.error());

    auto said = co_await infer(journey);
    if (!said) {
        co_await steps_.let_go(order.request, 0);
        co_return fail(said.error());
    }
    auto answer = read(journey, *said);
    auto predictions = predictions_of(journey, answer);
    auto write = [&] { return render(answer); };
    auto body = co_await run_on(steps_.parts().pool, std::move(write));

    auto settled = co_await settle(journey, answer, std::move(predictions), body);
    if (!settled) {
        co_await steps_.let_go(order.request, answer.usage.compute_micros);
        co_return fail(settled.error());
    }
    tell(journey, answer.usage);
    co_return Answered{200, std::move(body), false, answer.usage};
}

boost::asio::awaitable<Result<void>> ScoreRows::resolve(Journey& journey) {
    const auto& order = journey.order;
    auto found = steps_.parts().records.read(
        [&](store::Session& session) { return catalog::resolve(session, order.caller.tenant, order.model); });
    if (!found) co_return fail(found.error());
    if (auto may = tenant::check_may_ask(order.caller.models, order.model, found->reference()); !may)
        co_return fail(may.error());
    if (found->task != "table")
        co_return fail(ErrorCode::unsupported,
                       "the model '" + order.model +
                           "' reads no rows of a table; make one that does with `rootstock "
                           "finetune --task table`",
                       "model");
    auto resident = co_await steps_.bring_in(desk_.residency, *found, order.model);
    if (!resident) co_return fail(resident.error());
    journey.adapter = std::move(*found);
    journey.resident = std::move(*resident);
    co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> ScoreRows::encode(Journey& journey) {
    auto work = [&] { return encode_rows(journey.table(), journey.order.rows, journey.order.lenient); };
    auto encoded = co_await run_on(steps_.parts().pool, std::move(work));
    if (!encoded) co_return fail(encoded.error());
    journey.encoded = std::move(*encoded);
    co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> ScoreRows::reserve(Journey& journey) {
    const auto& parts = steps_.parts();
    const auto& order = journey.order;
    const auto now = parts.clock.now();
    const auto micros =
        std::chrono::duration_cast<std::chrono::microseconds>(limits_.time_max + std::chrono::seconds(60));
    ledger::ReserveRequest request{order.request,
                                   order.caller.tenant,
                                   order.caller.key,
                                   journey.adapter.name,
                                   journey.encoded.rows,
                                   Timestamp{now.micros + micros.count()},
                                   parts.run};
    request.meter = ledger::rows_meter;
    auto work = [request = std::move(request), now](store::Session& session) {
        return ledger::reserve(session, request, now);
    };
    const double asked = monotonic_seconds();
    auto hold = co_await steps_.write(std::move(work));
    journey.stored += monotonic_seconds() - asked;
    if (!hold) co_return fail(hold.error());
    co_return Result<void>{};
}

boost::asio::awaitable<Result<InferAnswer>> ScoreRows::infer(Journey& journey) {
    const auto& order = journey.order;
    InferRequest request{.tenant = order.batch ? TenantId(order.caller.tenant.text() + "/batch") : order.caller.tenant,
                         .kind = InferKind::head,
                         .cells = std::move(journey.encoded),
                         .table = journey.resident->table,
                         .deadline = monotonic_seconds() + std::chrono::duration<double>(limits_.time_max).count()};
    InferTicket ticket = 0;
    http::WhenGone gone(*order.presence, [&] { desk_.scheduler.cancel(ticket); });
    auto start = [&, request = std::move(request)](auto done) mutable {
        ticket = desk_.scheduler.submit(std::move(request), std::move(done));
    };
    const double asked = monotonic_seconds();
    auto said = co_await await_done<Result<InferAnswer>>(std::move(start));
    journey.inferred = monotonic_seconds() - asked;
    co_return said;
}

ScoredRows ScoreRows::read(Journey& journey, const InferAnswer& said) const {
    const auto& label = journey.table().schema().label;
    ScoredRows answer{journey.adapter.reference(), label.name, label.classes, {}, {}, {}, {}};
    for (const auto& logits : said.rows) journey.table().add_score(logits, answer.scores);
    answer.problems = std::move(journey.encoded.problems);
    answer.usage = {.rows = static_cast<std::int64_t>(said.rows.size()), .compute_micros = said.compute_micros};
    return answer;
}

// A number is kept as it is written, with nothing else that it could have been.
std::vector<catalog::Prediction> ScoreRows::predictions_of(const Journey& journey, ScoredRows& answer) const {
    const auto now = steps_.parts().clock.now();
    const auto& scores = answer.scores;
    const auto classes = static_cast<std::ptrdiff_t>(answer.classes.size());
    std::vector<catalog::Prediction> predictions;
    for (std::int64_t row = 0; row < answer.usage.rows; ++row) {
        std::string said;
        double probability = 1;
        if (classes > 0) {
            const auto begin = scores.probabilities.begin() + row * classes;
            const auto best = std::max_element(begin, begin + classes);
            said = answer.classes[static_cast<std::size_t>(best - begin)];
            probability = static_cast<double>(*best);
        } else {
            said = fmt::format("{}", scores.numbers[static_cast<std::size_t>(row)]);
        }
        predictions.push_back({mint<PredictionTag>(now), journey.order.caller.tenant, journey.order.request, row,
                               journey.adapter.id, std::move(said), probability,
                               journey.order.digests[static_cast<std::size_t>(row)], now});
        answer.predictions.push_back(predictions.back().id);
    }
    return predictions;
}

boost::asio::awaitable<Result<void>> ScoreRows::settle(Journey& journey, const ScoredRows& answer,
                                                       std::vector<catalog::Prediction> predictions,
                                                       const std::string& body) {
    const auto& order = journey.order;
    ledger::Settlement settlement{order.request, "score",      journey.adapter.name,
                                  answer.model,  answer.usage, journey.adapter.id};
    auto work = [&order, &body, settlement = std::move(settlement), predictions = std::move(predictions),
                 now = steps_.parts().clock.now()](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::post(session, settlement, now));
        catalog::add_predictions(session, predictions);
        if (!order.once) return {};
        return ledger::finish(session, JourneySteps::key_of(order.caller, *order.once), order.request, 200, body, now);
    };
    const double asked = monotonic_seconds();
    auto settled = co_await steps_.write(std::move(work));
    journey.stored += monotonic_seconds() - asked;
    co_return settled;
}

// All table models are told of as one: there may be as many as tenants.
void ScoreRows::tell(const Journey& journey, const Usage& usage) const {
    JourneyFacts facts{journey.order.caller.tenant, table_desk_name, usage};
    facts.store = journey.stored;
    facts.compute = std::min(static_cast<double>(usage.compute_micros) * 1e-6, journey.inferred);
    facts.queue = journey.inferred - facts.compute;
    steps_.tell(std::move(facts), journey.begun);
}

}  // namespace rootstock
