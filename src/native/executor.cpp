#include <omp.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "native/lane.h"
#include "native/pace.h"
#include "native/plan.h"

namespace rootstock {

struct Executor::State {
    explicit State(std::shared_ptr<const NativeModel> native)
        : model(std::move(native)), threads(model->threads()), wide(model->parts(), threads) {
        for (int i = 0; i < threads; ++i) lanes.emplace_back(model->parts(), 1);
    }

    Result<void> check(const PackedBatch& batch, RowAdapters adapters, bool heads) const;
    Result<void> check_tokens(const PackedBatch& batch) const;
    Result<void> run(const Task& task);
    void run_side_by_side(const Task& task);
    void run_alone(const Task& task);
    void run_together(const Task& task);
    std::optional<double> timed(Lane& lane, const Task& task, const Plan::Chunk& chunk);
    std::span<const int> rows_of(const Plan::Chunk& chunk) const {
        return std::span(plan.order)
            .subspan(static_cast<std::size_t>(chunk.begin), static_cast<std::size_t>(chunk.end - chunk.begin));
    }
    std::size_t width() const { return static_cast<std::size_t>(model->spec().width); }

    std::shared_ptr<const NativeModel> model;
    int threads;
    Lane wide;                // all threads on one pass
    std::vector<Lane> lanes;  // one thread each
    Plan plan;
    Pace pace;
    Workspace out;
    std::vector<std::int32_t> offsets;
};

Result<void> Executor::State::check_tokens(const PackedBatch& batch) const {
    const auto& spec = model->spec();
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        const auto length = batch.row_length(row);
        const auto where = "row " + std::to_string(row) + " of the batch ";
        if (length == 0) return fail(ErrorCode::invalid_argument, where + "has no tokens");
        if (length > static_cast<std::size_t>(spec.positions_max))
            return fail(ErrorCode::too_long, where + "has " + std::to_string(length) +
                                                 " tokens, the model takes at most " +
                                                 std::to_string(spec.positions_max) + "; shorten or truncate it");
    }
    const auto outside = [](std::int32_t id, int count) { return id < 0 || id >= count; };
    for (std::size_t t = 0; t < batch.tokens(); ++t)
        if (outside(batch.ids[t], spec.vocabulary) || outside(batch.type_ids[t], std::max(1, spec.types)))
            return fail(ErrorCode::invalid_argument,
                        "token " + std::to_string(t) +
                            " of the batch is outside the model's vocabulary; is the tokenizer of this model?");
    return {};
}

Result<void> Executor::State::check(const PackedBatch& batch, RowAdapters adapters, bool heads) const {
    ROOTSTOCK_CHECK(batch.type_ids.size() == batch.ids.size() && batch.row_offsets.front() == 0 &&
                        static_cast<std::size_t>(batch.row_offsets.back()) == batch.ids.size(),
                    "a batch's offsets cover its tokens");
    if ((heads || !adapters.empty()) && adapters.size() != batch.rows())
        return fail(ErrorCode::invalid_argument, "a batch needs one adapter, or none, for each of its rows");
    for (const auto* adapter : adapters) {
        if (adapter && !adapter->parts().fits(model->parts()))
            return fail(ErrorCode::invalid_argument, "an adapter of the batch was packed for another model", {},
                        "adapter_misfit");
        if (heads && (!adapter || adapter->classes() == 0))
            return fail(ErrorCode::invalid_argument, "classification needs an adapter with a head for every row");
    }
    return check_tokens(batch);
}

// Each thread takes the next chunk when it is free. An exception may not leave the parallel region.
void Executor::State::run_side_by_side(const Task& task) {
    const int count = static_cast<int>(plan.chunks.size());
    if (count == 1) return run_alone(task);
    std::string fault;
    std::mutex guard;
#pragma omp parallel for schedule(dynamic, 1) num_threads(std::min(threads, count))
    for (int i = 0; i < count; ++i) {
        auto& lane = lanes[static_cast<std::size_t>(omp_get_thread_num())];
        auto one = guard_library([&] { lane.run(task, rows_of(plan.chunks[static_cast<std::size_t>(i)])); });
        if (one.empty()) continue;
        const std::lock_guard lock(guard);
        fault = std::move(one);
    }
    if (!fault.empty()) throw std::runtime_error(fault);
}

// Runs one pass and says how long it took; nothing when part of the time went into making code for a new size.
std::optional<double> Executor::State::timed(Lane& lane, const Task& task, const Plan::Chunk& chunk) {
    const auto primitives = lane.primitives();
    const double begin = monotonic_seconds();
    lane.run(task, rows_of(chunk));
    if (lane.primitives() != primitives) return std::nullopt;
    return monotonic_seconds() - begin;
}

void Executor::State::run_alone(const Task& task) {
    const auto& chunk = plan.chunks.front();
    if (const auto seconds = timed(lanes.front(), task, chunk)) pace.alone_took(rounded_rows(chunk.tokens), *seconds);
}

void Executor::State::run_together(const Task& task) {
    for (const auto& chunk : plan.chunks)
        if (const auto seconds = timed(wide, task, chunk))
            pace.split_took(rounded_rows(chunk.tokens), *seconds, monotonic_seconds());
}

Result<void> Executor::State::run(const Task& task) {
    if (task.batch.rows() == 0) return {};
    make_plan(task.batch, task.adapters, threads, pace.may_split(monotonic_seconds()), plan);
    const auto fault = guard_library([&] { plan.side_by_side ? run_side_by_side(task) : run_together(task); });
    if (!fault.empty()) return fail(ErrorCode::internal, "the batch could not be computed: " + fault);
    return {};
}

Executor::Executor(std::shared_ptr<const NativeModel> model) : state_(new State(std::move(model))) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

const NativeModel& Executor::model() const { return *state_->model; }

Result<std::span<const float>> Executor::hidden(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    const auto count = batch.tokens() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({batch, adapters, Want::hidden, out, nullptr}));
    return std::span<const float>(out, count);
}

Result<std::span<const float>> Executor::embed(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    const auto count = batch.rows() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({batch, adapters, Want::embedding, out, nullptr}));
    return std::span<const float>(out, count);
}

Result<Logits> Executor::classify(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, true));
    s.offsets.assign(1, 0);
    for (const auto* adapter : adapters) s.offsets.push_back(s.offsets.back() + adapter->classes());
    const auto count = static_cast<std::size_t>(s.offsets.back());
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({batch, adapters, Want::logits, out, s.offsets.data()}));
    return Logits{{out, count}, s.offsets};
}

void Executor::warm() {
    const auto pad = state_->model->spec().pad_id;
    const auto most = static_cast<std::size_t>(state_->model->spec().positions_max);
    // The first shape three times: code for one thread, its time, code for all threads.
    for (const auto& [rows, tokens] : {std::pair<int, std::size_t>{1, 16}, {1, 16}, {1, 16}, {1, 32}, {16, 16}}) {
        PackedBatch batch;
        const std::vector<std::int32_t> row(std::min(tokens, most), pad);
        for (int i = 0; i < rows; ++i) batch.add_row(row);
        const auto done = hidden(batch);
        ROOTSTOCK_CHECK(done.has_value(), "padding is a valid text");
    }
}

}  // namespace rootstock
