#include <omp.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "native/lane.h"
#include "native/pace.h"
#include "native/plan.h"

namespace rootstock {

namespace {

const char* read_by(const TransformerSpec& spec) {
    return spec.inputs == Inputs::tokens ? "tokens" : spec.inputs == Inputs::patches ? "pictures" : "rows of a table";
}

}  // namespace

struct Executor::State {
    State(std::shared_ptr<const NativeModel> native, int wanted)
        : model(std::move(native)), threads(wanted > 0 ? wanted : model->threads()), wide(model->parts(), threads) {
        for (int i = 0; i < threads; ++i) lanes.emplace_back(model->parts(), 1);
    }

    Result<void> check(const PackedBatch& batch, RowAdapters adapters, bool heads) const;
    Result<void> check_tokens(const PackedBatch& batch, std::span<const int> sequences = {},
                              const Cache::Parts* cache = nullptr) const;
    Result<void> check_sequences(const Cache& cache, const PackedBatch& batch, std::span<const int> sequences) const;
    Result<Logits> run_logits(const PackedBatch& batch, RowAdapters adapters, const float* pixels = nullptr,
                              const ColumnBatch* columns = nullptr);
    Result<void> lay_out(const ImageBatch& images);
    Result<void> lay_out(const ColumnBatch& rows);
    void lay_out_places(std::int64_t rows);
    Result<void> run(const Task& task);
    Result<void> run_heads(const Task& task);
    Result<void> read(Cache::Parts& parts, const PackedBatch& batch, std::span<const int> sequences,
                      RowAdapters adapters);
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
    PackedBatch places;  // as many tokens as the images or a table's rows have
};

Result<void> Executor::State::check_tokens(const PackedBatch& batch, std::span<const int> sequences,
                                           const Cache::Parts* cache) const {
    const auto& spec = model->spec();
    if (spec.inputs != Inputs::tokens)
        return fail(ErrorCode::invalid_argument, "a " + spec.family + " model reads " + read_by(spec) + ", not tokens");
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        auto length = batch.row_length(row);
        const auto where = "row " + std::to_string(row) + " of the batch ";
        if (length == 0) return fail(ErrorCode::invalid_argument, where + "has no tokens");
        if (cache)
            length += static_cast<std::size_t>(cache->sequences[static_cast<std::size_t>(sequences[row])].length);
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
    return {};
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

namespace {

// What the decoder of a classifier reads: each row behind the start token, without its last.
PackedBatch behind_start(const PackedBatch& batch, int start_id) {
    PackedBatch shifted;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        const auto begin = batch.ids.begin() + batch.row_offsets[row];
        std::vector<std::int32_t> ids{start_id};
        ids.insert(ids.end(), begin, begin + static_cast<std::ptrdiff_t>(batch.row_length(row)) - 1);
        shifted.add_row(ids);
    }
    return shifted;
}

}  // namespace

// A sequence head of one stack, or of a decoder that reads the row again behind the encoder.
Result<void> Executor::State::run_heads(const Task& task) {
    const auto& spec = model->spec();
    if (spec.decoder_layers == 0 || task.batch.rows() == 0) return run(task);
    constexpr int kBlock = 16;
    const auto texts = behind_start(task.batch, spec.start_id);
    int room = 0;
    for (std::size_t row = 0; row < texts.rows(); ++row)
        room += (static_cast<int>(texts.row_length(row)) + kBlock - 1) / kBlock * kBlock;
    ROOTSTOCK_TRY(cache, Cache::make(model, {room, kBlock}));
    std::vector<int> sequences;
    for (std::size_t row = 0; row < texts.rows(); ++row) sequences.push_back(cache.open());
    auto& parts = cache.parts();
    ROOTSTOCK_CHECKED(read(parts, task.batch, sequences, task.adapters));
    for (std::size_t row = 0; row < texts.rows(); ++row) {
        const bool grown = parts.grow(parts.sequences[static_cast<std::size_t>(sequences[row])],
                                      static_cast<int>(texts.row_length(row)));
        ROOTSTOCK_CHECK(grown, "the cache was made for these rows");
    }
    return run({texts, task.adapters, task.want, task.out, task.offsets, nullptr, &parts, sequences});
}

Result<void> Executor::State::read(Cache::Parts& parts, const PackedBatch& batch, std::span<const int> sequences,
                                   RowAdapters adapters) {
    const auto fault = guard_library([&] {
        for (std::size_t row = 0; row < batch.rows(); ++row)
            parts.sequences[static_cast<std::size_t>(sequences[row])].cross =
                std::make_shared<CrossMemory>(model->parts(), static_cast<int>(batch.row_length(row)));
    });
    auto done = fault.empty() ? run({batch, adapters, Want::cross_memory, nullptr, nullptr, nullptr, &parts, sequences})
                              : Result<void>(fail(ErrorCode::overloaded, "there is no memory for the texts: " + fault));
    if (!done)
        for (const int index : sequences) parts.sequences[static_cast<std::size_t>(index)].cross = nullptr;
    return done;
}

Executor::Executor(std::shared_ptr<const NativeModel> model, int threads)
    : state_(new State(std::move(model), threads)) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

const NativeModel& Executor::model() const { return *state_->model; }
std::shared_ptr<const NativeModel> Executor::shared_model() const { return state_->model; }

Result<std::span<const float>> Executor::hidden(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    ROOTSTOCK_CHECKED(s.check_tokens(batch));
    const auto count = batch.tokens() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({batch, adapters, Want::hidden, out, nullptr}));
    return std::span<const float>(out, count);
}

Result<std::span<const float>> Executor::embed(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    ROOTSTOCK_CHECKED(s.check_tokens(batch));
    const auto count = batch.rows() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({batch, adapters, Want::embedding, out, nullptr}));
    return std::span<const float>(out, count);
}

Result<Logits> Executor::classify(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, true));
    ROOTSTOCK_CHECKED(s.check_tokens(batch));
    s.offsets.assign(1, 0);
    for (const auto* adapter : adapters) s.offsets.push_back(s.offsets.back() + adapter->classes());
    const auto count = static_cast<std::size_t>(s.offsets.back());
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run_heads({batch, adapters, Want::logits, out, s.offsets.data()}));
    return Logits{{out, count}, s.offsets};
}

Result<Logits> Executor::classify(const ImageBatch& images, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(images));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, true));
    s.offsets.assign(1, 0);
    for (const auto* adapter : adapters) s.offsets.push_back(s.offsets.back() + adapter->classes());
    const auto count = static_cast<std::size_t>(s.offsets.back());
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({s.places, adapters, Want::logits, out, s.offsets.data(), images.pixels.data()}));
    return Logits{{out, count}, s.offsets};
}

Result<Logits> Executor::State::run_logits(const PackedBatch& batch, RowAdapters adapters, const float* pixels,
                                           const ColumnBatch* columns) {
    const auto& head = model->spec().head;
    if (head.kind == HeadKind::none)
        return fail(ErrorCode::unsupported, "the model has no head of its own; its folder holds a body only");
    const bool words = head.kind == HeadKind::masked_lm || head.kind == HeadKind::causal_lm;
    if (words && model->spec().decoder_layers > 0)
        return fail(ErrorCode::unsupported, "a model with a decoder beside its encoder gives logits through a cache");
    const bool per_row = head.kind == HeadKind::sequence;
    const std::int64_t own = words ? model->spec().vocabulary : head.classes;
    std::int64_t count = 0;
    offsets.assign(1, 0);
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        const auto* adapter = adapters.empty() ? nullptr : adapters[row];
        const auto each = per_row && adapter && adapter->classes() > 0 ? adapter->classes() : own;
        count += per_row ? each : each * static_cast<std::int64_t>(batch.row_length(row));
        if (count > INT32_MAX)
            return fail(ErrorCode::too_large, "the batch has more logits than one answer holds; give fewer rows");
        offsets.push_back(static_cast<std::int32_t>(count));
    }
    auto* place = out.get<float>(static_cast<std::size_t>(count));
    const auto want = per_row ? Want::logits : Want::token_logits;
    const Task task{batch, adapters, want, place, offsets.data(), pixels, nullptr, {}, columns};
    ROOTSTOCK_CHECKED(per_row ? run_heads(task) : run(task));
    return Logits{{place, static_cast<std::size_t>(count)}, offsets};
}

Result<Logits> Executor::logits(const PackedBatch& batch, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    ROOTSTOCK_CHECKED(s.check_tokens(batch));
    return s.run_logits(batch, adapters);
}

Result<void> Executor::State::lay_out(const ImageBatch& images) {
    const auto& spec = model->spec();
    const auto& patches = spec.patches;
    if (spec.inputs != Inputs::patches)
        return fail(ErrorCode::invalid_argument,
                    "a " + spec.family + " model reads " + read_by(spec) + ", not pictures");
    const auto numbers = static_cast<std::size_t>(patches.channels) * static_cast<std::size_t>(patches.image) *
                         static_cast<std::size_t>(patches.image);
    if (images.images < 0 || images.pixels.size() != static_cast<std::size_t>(images.images) * numbers)
        return fail(ErrorCode::invalid_argument,
                    "every picture needs " + std::to_string(patches.channels) + " channels of " +
                        std::to_string(patches.image) + " x " + std::to_string(patches.image) + " numbers",
                    "pixels");
    lay_out_places(images.images);
    return {};
}

Result<void> Executor::State::lay_out(const ColumnBatch& rows) {
    const auto& spec = model->spec();
    if (spec.inputs != Inputs::columns)
        return fail(ErrorCode::invalid_argument,
                    "a " + spec.family + " model reads " + read_by(spec) + ", not rows of a table");
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(0, rows.rows));
    const auto numbers = static_cast<std::size_t>(spec.columns.numbers), categories = spec.columns.categories.size();
    if (rows.rows < 0 || rows.numeric.size() != count * numbers || rows.numeric_missing.size() != count * numbers ||
        rows.categories.size() != count * categories)
        return fail(ErrorCode::invalid_argument, "every row needs " + std::to_string(numbers) + " numbers and " +
                                                     std::to_string(categories) +
                                                     " categories; is the column schema of this model?");
    if (count * static_cast<std::size_t>(spec.columns.tokens()) > INT32_MAX)
        return fail(ErrorCode::too_large, "the batch has more rows than one run takes; give fewer");
    for (std::size_t i = 0; i < rows.categories.size(); ++i)
        if (rows.categories[i] < 0 || rows.categories[i] >= spec.columns.categories[i % categories])
            return fail(ErrorCode::invalid_argument, "row " + std::to_string(i / categories) +
                                                         " of the batch has a category that the model does not know; "
                                                         "is the column schema of this model?");
    lay_out_places(rows.rows);
    return {};
}

// Every image and every row of a table has as many tokens as the model takes.
void Executor::State::lay_out_places(std::int64_t rows) {
    const std::vector<std::int32_t> tokens(static_cast<std::size_t>(model->spec().positions_max));
    places.clear();
    for (std::int64_t i = 0; i < rows; ++i) places.add_row(tokens);
}

Result<std::span<const float>> Executor::hidden(const ImageBatch& images, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(images));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, false));
    const auto count = s.places.tokens() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({s.places, adapters, Want::hidden, out, nullptr, images.pixels.data()}));
    return std::span<const float>(out, count);
}

Result<std::span<const float>> Executor::embed(const ImageBatch& images, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(images));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, false));
    const auto count = s.places.rows() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({s.places, adapters, Want::embedding, out, nullptr, images.pixels.data()}));
    return std::span<const float>(out, count);
}

Result<Logits> Executor::logits(const ImageBatch& images, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(images));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, false));
    return s.run_logits(s.places, adapters, images.pixels.data());
}

Result<std::span<const float>> Executor::hidden(const ColumnBatch& rows, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(rows));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, false));
    const auto count = s.places.tokens() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({s.places, adapters, Want::hidden, out, nullptr, nullptr, nullptr, {}, &rows}));
    return std::span<const float>(out, count);
}

Result<std::span<const float>> Executor::embed(const ColumnBatch& rows, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(rows));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, false));
    const auto count = s.places.rows() * s.width();
    auto* out = s.out.get<float>(count);
    ROOTSTOCK_CHECKED(s.run({s.places, adapters, Want::embedding, out, nullptr, nullptr, nullptr, {}, &rows}));
    return std::span<const float>(out, count);
}

Result<Logits> Executor::logits(const ColumnBatch& rows, RowAdapters adapters) {
    auto& s = *state_;
    ROOTSTOCK_CHECKED(s.lay_out(rows));
    ROOTSTOCK_CHECKED(s.check(s.places, adapters, false));
    return s.run_logits(s.places, adapters, nullptr, &rows);
}

Result<void> Executor::State::check_sequences(const Cache& cache, const PackedBatch& batch,
                                              std::span<const int> sequences) const {
    const auto& parts = cache.parts();
    ROOTSTOCK_CHECK(parts.model == model, "a cache is used with the model it was made for");
    if (sequences.size() != batch.rows())
        return fail(ErrorCode::invalid_argument, "a batch needs one sequence for each of its rows");
    std::vector<int> seen(sequences.begin(), sequences.end());
    std::ranges::sort(seen);
    if (std::ranges::adjacent_find(seen) != seen.end())
        return fail(ErrorCode::invalid_argument, "a sequence stands twice in a batch");
    for (const int sequence : sequences) static_cast<void>(cache.length(sequence));  // asserts that it is open
    return {};
}

Result<Logits> Executor::extend(Cache& cache, const PackedBatch& batch, std::span<const int> sequences,
                                RowAdapters adapters, Answer answer) {
    auto& s = *state_;
    auto& parts = cache.parts();
    const auto& spec = s.model->spec();
    if (spec.head.kind != HeadKind::causal_lm)
        return fail(ErrorCode::unsupported, "the model has no language model's head, so it does not write on");
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    ROOTSTOCK_CHECKED(s.check_sequences(cache, batch, sequences));
    ROOTSTOCK_CHECKED(s.check_tokens(batch, sequences, &parts));
    std::int64_t count = 0;
    s.offsets.assign(1, 0);
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        const auto& sequence = parts.sequences[static_cast<std::size_t>(sequences[row])];
        if (spec.decoder_layers > 0 && !sequence.cross)
            return fail(ErrorCode::conflict, "the encoder has not read a text for this sequence yet");
        count +=
            spec.vocabulary * (answer == Answer::every_token ? static_cast<std::int64_t>(batch.row_length(row)) : 1);
        if (count > INT32_MAX)
            return fail(ErrorCode::too_large, "the batch has more logits than one answer holds; give fewer rows");
        s.offsets.push_back(static_cast<std::int32_t>(count));
    }
    const auto give_back = [&] {
        for (const int index : sequences) {
            auto& sequence = parts.sequences[static_cast<std::size_t>(index)];
            parts.shrink(sequence, sequence.length);
        }
    };
    for (std::size_t row = 0; row < batch.rows(); ++row)
        if (!parts.grow(parts.sequences[static_cast<std::size_t>(sequences[row])],
                        static_cast<int>(batch.row_length(row)))) {
            give_back();
            return fail(ErrorCode::overloaded, "the cache has no room for the batch; close a sequence first");
        }
    auto* out = s.out.get<float>(static_cast<std::size_t>(count));
    const auto want = answer == Answer::every_token ? Want::token_logits : Want::next_logits;
    if (auto done = s.run({batch, adapters, want, out, s.offsets.data(), nullptr, &parts, sequences}); !done) {
        give_back();
        return fail(done.error());
    }
    for (std::size_t row = 0; row < batch.rows(); ++row)
        parts.sequences[static_cast<std::size_t>(sequences[row])].length += static_cast<int>(batch.row_length(row));
    return Logits{{out, static_cast<std::size_t>(count)}, s.offsets};
}

Result<void> Executor::read(Cache& cache, const PackedBatch& batch, std::span<const int> sequences,
                            RowAdapters adapters) {
    auto& s = *state_;
    auto& parts = cache.parts();
    if (s.model->spec().decoder_layers == 0)
        return fail(ErrorCode::unsupported, "the model has no encoder beside its decoder; extend() takes the prompt");
    ROOTSTOCK_CHECKED(s.check(batch, adapters, false));
    ROOTSTOCK_CHECKED(s.check_sequences(cache, batch, sequences));
    ROOTSTOCK_CHECKED(s.check_tokens(batch));
    for (const int index : sequences)
        if (cache.length(index) > 0)
            return fail(ErrorCode::conflict, "the sequence has tokens of its own already; open a new one");
    return s.read(parts, batch, sequences, adapters);
}

void Executor::warm() {
    if (state_->model->spec().inputs != Inputs::tokens)
        return;  // pictures have one size: the first one is the usual one; so have a table's rows
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
