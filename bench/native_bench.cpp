// Figures of the native executor, each the median of several timed rounds:
//
//   native_bench --model FOLDER [--precision bf16|int8|fp32] [--threads N] [--rounds N] [--json]
//
// Prints one line per figure (one JSON object per line with --json): latency of one short text, texts per second of
// larger batches, a batch in which every row has an adapter of its own, time to load and pack, and resident memory.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "native/native.h"

namespace rootstock {
namespace {

struct Options {
    std::string model;
    Precision precision = Precision::bf16;
    int threads = 0;
    int rounds = 9;
    bool json = false;
};

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const std::string value = i + 1 < count ? words[i + 1] : "";
        if (word == "--json")
            options.json = true;
        else if (word == "--model" && ++i)
            options.model = value;
        else if (word == "--precision" && ++i)
            options.precision = value == "fp32" ? Precision::fp32 : value == "int8" ? Precision::int8 : Precision::bf16;
        else if (word == "--threads" && ++i)
            options.threads = std::atoi(value.c_str());
        else if (word == "--rounds" && ++i)
            options.rounds = std::max(1, std::atoi(value.c_str()));
    }
    return options;
}

void print(const Options& options, const std::string& name, double value, const char* unit,
           double texts_per_second = 0) {
    if (options.json) {
        json::object line{{"bench", "native"}, {"name", name}, {"value", value}, {"unit", unit}};
        if (texts_per_second > 0) line["texts_per_second"] = texts_per_second;
        std::printf("%s\n", json::serialize(line).c_str());
    } else if (texts_per_second > 0) {
        std::printf("%-34s %9.3f %-3s %9.0f texts/s\n", name.c_str(), value, unit, texts_per_second);
    } else {
        std::printf("%-34s %9.3f %s\n", name.c_str(), value, unit);
    }
}

// Median over the rounds of the mean time of one call; a round lasts about 0.15 s.
double median_seconds(const Options& options, const std::function<void()>& call) {
    call();
    const double start = monotonic_seconds();
    call();
    const int calls = std::clamp(static_cast<int>(0.15 / std::max(1e-6, monotonic_seconds() - start)), 1, 2000);
    std::vector<double> times;
    for (int round = 0; round < options.rounds; ++round) {
        const double begin = monotonic_seconds();
        for (int i = 0; i < calls; ++i) call();
        times.push_back((monotonic_seconds() - begin) / calls);
    }
    std::ranges::nth_element(times, times.begin() + options.rounds / 2);
    return times[static_cast<std::size_t>(options.rounds / 2)];
}

PackedBatch some_batch(const TransformerSpec& spec, int rows, int tokens) {
    SeededRandom random(1);
    PackedBatch batch;
    std::vector<std::int32_t> row(static_cast<std::size_t>(std::min(tokens, spec.positions_max)));
    for (int r = 0; r < rows; ++r) {
        for (auto& id : row) id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(spec.vocabulary)));
        batch.add_row(row);
    }
    return batch;
}

Adapter some_adapter(const TransformerSpec& spec, int rank, int classes, std::uint64_t seed) {
    SeededRandom random(seed);
    const auto numbers = [&](int count) {
        std::vector<float> values(static_cast<std::size_t>(count));
        for (auto& value : values) value = static_cast<float>(0.02 * random.normal());
        return values;
    };
    Adapter adapter;
    for (const auto& map : linear_maps(spec))
        adapter.pairs[map.module] = {rank, 2.0f, map.in, map.out, numbers(rank * map.in), numbers(map.out * rank)};
    adapter.head = {classes, spec.width, numbers(classes * spec.width), numbers(classes)};
    return adapter;
}

PackedBatch batch_of_lengths(const TransformerSpec& spec, const std::vector<int>& lengths) {
    SeededRandom random(2);
    PackedBatch batch;
    for (const int length : lengths) {
        std::vector<std::int32_t> row(static_cast<std::size_t>(std::min(length, spec.positions_max)));
        for (auto& id : row) id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(spec.vocabulary)));
        batch.add_row(row);
    }
    return batch;
}

double resident_megabytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1000.0 * 1.024;
    return 0;
}

template <typename T>
T need(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "native_bench: %s\n", result.error().message.c_str());
    std::exit(1);
}

void measure_shape(const Options& options, Executor& executor, int rows, int tokens) {
    const auto batch = some_batch(executor.model().spec(), rows, tokens);
    const double seconds = median_seconds(options, [&] { need(executor.embed(batch)); });
    print(options, "embed " + std::to_string(rows) + "x" + std::to_string(tokens), seconds * 1e3, "ms", rows / seconds);
}

// What packing costs: rows of many lengths against equal rows of the same tokens and the same attention work (the sum
// of squared lengths).
void measure_packing(const Options& options, Executor& executor, const std::string& name, int shortest, int longest,
                     int rows) {
    const auto& spec = executor.model().spec();
    longest = std::min(longest, spec.positions_max);
    std::vector<int> mixed;
    double tokens = 0, work = 0;
    for (int i = 0; i < rows; ++i) {
        mixed.push_back(shortest + (longest - shortest) * i / std::max(1, rows - 1));
        tokens += mixed.back(), work += static_cast<double>(mixed.back()) * mixed.back();
    }
    SeededRandom(3).shuffle(mixed);
    const int each = static_cast<int>(work / tokens + 0.5);
    std::vector<int> equal(static_cast<std::size_t>(tokens / each), each);
    if (const int rest = static_cast<int>(tokens) - each * static_cast<int>(equal.size()); rest > 0)
        equal.push_back(rest);
    const auto seconds = [&](const std::vector<int>& lengths) {
        const auto batch = batch_of_lengths(spec, lengths);
        return median_seconds(options, [&] { need(executor.embed(batch)); });
    };
    const double one = seconds(mixed), other = seconds(equal);
    print(options, "packed " + name, one * 1e3, "ms", rows / one);
    print(options, "equal rows of " + std::to_string(each), other * 1e3, "ms");
    print(options, "cost of packing " + name, one / other, "x");
}

void measure_adapters(const Options& options, Executor& executor, int rows, int tokens) {
    const auto& spec = executor.model().spec();
    const auto batch = some_batch(spec, rows, tokens);
    std::vector<std::shared_ptr<const NativeAdapter>> loaded;
    double load = 0;
    for (int i = 0; i < rows; ++i) {
        const auto adapter = some_adapter(spec, 8, 16, static_cast<std::uint64_t>(i));
        const double begin = monotonic_seconds();
        loaded.push_back(need(NativeAdapter::load(executor.model(), adapter)));
        load += monotonic_seconds() - begin;
    }
    std::vector<const NativeAdapter*> one(static_cast<std::size_t>(rows), loaded[0].get()), each;
    for (const auto& adapter : loaded) each.push_back(adapter.get());
    const auto shape = std::to_string(rows) + "x" + std::to_string(tokens);
    const auto measure = [&](const std::string& name, const std::function<void()>& call) {
        const double seconds = median_seconds(options, call);
        print(options, name, seconds * 1e3, "ms", rows / seconds);
    };
    measure("embed " + shape + ", base", [&] { need(executor.embed(batch)); });
    measure("embed " + shape + ", one adapter", [&] { need(executor.embed(batch, one)); });
    measure("embed " + shape + ", " + std::to_string(rows) + " adapters", [&] { need(executor.embed(batch, each)); });
    measure("classify " + shape + ", one adapter", [&] { need(executor.classify(batch, one)); });
    measure("classify " + shape + ", " + std::to_string(rows) + " adapters",
            [&] { need(executor.classify(batch, each)); });
    print(options, "adapter load (rank 8, all maps)", load / rows * 1e3, "ms");
    print(options, "adapter memory (rank 8, all maps)", static_cast<double>(loaded[0]->bytes()) * 1e-6, "MB");
}

void measure_one_classified(const Options& options, Executor& executor) {
    const auto batch = some_batch(executor.model().spec(), 1, 16);
    const auto adapter = need(NativeAdapter::load(executor.model(), some_adapter(executor.model().spec(), 8, 16, 1)));
    const std::vector<const NativeAdapter*> adapters{adapter.get()};
    print(options, "classify 1x16, one adapter",
          median_seconds(options, [&] { need(executor.classify(batch, adapters)); }) * 1e3, "ms");
}

// A language model: prompts of 128 tokens, then one token more for one and for many sequences with that past.
void measure_writing(const Options& options, const std::shared_ptr<const NativeModel>& model, Executor& executor) {
    const auto& spec = executor.model().spec();
    constexpr int kMany = 16;
    const int past = std::min(128, spec.positions_max - 1);
    auto cache = need(Cache::make(model, {(past + 2) * kMany + 64 * kMany, 64}));
    std::vector<int> sequences;
    for (int i = 0; i < kMany; ++i) sequences.push_back(cache.open());
    const auto measure = [&](int rows, int tokens, int before, const std::string& name) {
        const auto batch = some_batch(spec, rows, tokens);
        const auto some = std::span(sequences).first(static_cast<std::size_t>(rows));
        const double seconds = median_seconds(options, [&] {
            for (const int sequence : some) cache.truncate(sequence, before);
            need(executor.extend(cache, batch, some));
        });
        print(options, name, seconds * 1e3, "ms");
        print(options, name + ", tokens per second", rows * tokens / seconds, "/s");
    };
    measure(1, past, 0, "read a prompt of " + std::to_string(past));
    need(executor.extend(cache, some_batch(spec, kMany - 1, past), std::span(sequences).subspan(1)));
    measure(1, 1, past, "one token behind " + std::to_string(past));
    measure(kMany, 1, past, std::to_string(kMany) + " sequences, one token each");
}

int run(const Options& options) {
    if (options.model.empty()) {
        std::fprintf(
            stderr,
            "usage: native_bench --model FOLDER [--precision bf16|int8|fp32] [--threads N] [--rounds N] [--json]\n");
        return 2;
    }
    const double begin = monotonic_seconds();
    auto native = [&] {
        const auto model = need(load_model(options.model));
        return need(NativeModel::load(model, {options.precision, options.threads}));
    }();
    const double loaded = monotonic_seconds();
    Executor executor(native);
    need(executor.embed(some_batch(native->spec(), 1, 16)));
    const double answered = monotonic_seconds();
    if (!options.json) std::printf("%s\n", native->description().c_str());
    print(options, "load and pack", (loaded - begin) * 1e3, "ms");
    print(options, "first answer after load", (answered - loaded) * 1e3, "ms");
    print(options, "resident after first answer", resident_megabytes(), "MB");
    if (native->spec().head.kind == HeadKind::causal_lm && native->spec().decoder_layers == 0) {
        measure_writing(options, native, executor);
        print(options, "resident at the end", resident_megabytes(), "MB");
        return 0;
    }
    measure_shape(options, executor, 1, 16);
    measure_one_classified(options, executor);
    for (const auto& [rows, tokens] : {std::pair{2, 16}, {4, 16}, {8, 16}, {64, 16}, {32, 128}, {1, 128}, {1, 512}})
        measure_shape(options, executor, rows, tokens);
    measure_packing(options, executor, "64 rows of 8..24", 8, 24, 64);
    measure_packing(options, executor, "32 rows of 4..512", 4, 512, 32);
    measure_adapters(options, executor, 64, 16);
    print(options, "resident at the end", resident_megabytes(), "MB");
    return 0;
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) { return rootstock::run(rootstock::read_options(count, words)); }
