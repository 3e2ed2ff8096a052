// A language model writing on, natively: tokens read per second of a long prompt, tokens written per second in one
// stream behind it, and of all streams together when many such texts grow at once, each the median of several rounds:
//
//   decoder_bench --model FOLDER|FILE.gguf [--precision bf16|fp32] [--threads N] [--prompt 256] [--write 64]
//                 [--streams 32] [--rounds N] [--json]
//
// bench/peers/llama_cpp_peer.mjs does the same with llama.cpp on the same file and the same ids.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "native/native.h"

namespace rootstock {
namespace {

struct Options {
    std::string model;
    NativeOptions native;
    int prompt = 256, write = 64, streams = 32, rounds = 5;
    bool json = false;
};

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const std::string value = i + 1 < count ? words[i + 1] : "";
        if (word == "--json") {
            options.json = true;
            continue;
        }
        ++i;
        if (word == "--model") options.model = value;
        if (word == "--precision") options.native.precision = value == "fp32" ? Precision::fp32 : Precision::bf16;
        if (word == "--threads") options.native.threads = std::atoi(value.c_str());
        if (word == "--prompt") options.prompt = std::max(1, std::atoi(value.c_str()));
        if (word == "--write") options.write = std::max(1, std::atoi(value.c_str()));
        if (word == "--streams") options.streams = std::max(1, std::atoi(value.c_str()));
        if (word == "--rounds") options.rounds = std::max(1, std::atoi(value.c_str()));
    }
    return options;
}

double median(std::vector<double> times) {
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
    return times[times.size() / 2];
}

void print(const Options& options, const std::string& name, double rate) {
    if (options.json)
        std::printf(
            "%s\n",
            json::serialize(json::object{{"bench", "decoder"}, {"name", name}, {"value", rate}, {"unit", "tokens/s"}})
                .c_str());
    else
        std::printf("%-34s %9.1f tokens/s\n", name.c_str(), rate);
}

std::int32_t best_of(std::span<const float> logits) {
    return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

// One round: seconds for the prompts of so many streams, one after another, and for the tokens behind them, one of
// every stream a step.
Result<std::pair<double, double>> round(const Options& options, int streams, Executor& executor, Cache& cache) {
    const auto vocabulary = executor.model().spec().vocabulary;
    std::vector<std::int32_t> prompt, next;
    for (int i = 0; i < options.prompt; ++i) prompt.push_back((7 * i + 11) % std::min(vocabulary, 1000));
    std::vector<int> sequences;
    PackedBatch batch;
    const double begin = monotonic_seconds();
    for (int stream = 0; stream < streams; ++stream) {
        sequences.push_back(cache.open());
        batch.clear();
        batch.add_row(prompt);
        ROOTSTOCK_TRY(first, executor.extend(cache, batch, {&sequences.back(), 1}));
        next.push_back(best_of(first.row(0)));
    }
    const double read = monotonic_seconds();
    for (int i = 0; i < options.write; ++i) {
        batch.clear();
        for (const auto& token : next) batch.add_row({&token, 1});
        ROOTSTOCK_TRY(logits, executor.extend(cache, batch, sequences));
        for (std::size_t stream = 0; stream < next.size(); ++stream) next[stream] = best_of(logits.row(stream));
    }
    const double end = monotonic_seconds();
    for (const int sequence : sequences) cache.close(sequence);
    return std::pair{read - begin, end - read};
}

struct Seconds {
    std::vector<double> reads, writes;
};

Result<Seconds> measure(const Options& options, int streams, const std::shared_ptr<const NativeModel>& native) {
    Executor executor(native);
    const int each = (options.prompt + options.write + 63) / 64 * 64;
    ROOTSTOCK_TRY(cache, Cache::make(native, {.tokens = streams * each}));
    Seconds all;
    for (int i = 0; i <= options.rounds; ++i) {
        ROOTSTOCK_TRY(seconds, round(options, streams, executor, cache));
        if (i == 0) continue;  // makes the code that the others run
        all.reads.push_back(seconds.first);
        all.writes.push_back(seconds.second);
    }
    return all;
}

Result<void> run(const Options& options) {
    ROOTSTOCK_TRY(model, load_model(options.model));
    ROOTSTOCK_TRY(native, NativeModel::load(model, options.native));
    std::fprintf(stderr, "%s\n", native->description().c_str());
    ROOTSTOCK_TRY(one, measure(options, 1, native));
    print(options, "prompt of " + std::to_string(options.prompt), options.prompt / median(one.reads));
    print(options, "one stream of " + std::to_string(options.write), options.write / median(one.writes));
    if (options.streams < 2) return {};
    ROOTSTOCK_TRY(many, measure(options, options.streams, native));
    print(options, std::to_string(options.streams) + " streams of " + std::to_string(options.write),
          options.streams * options.write / median(many.writes));
    return {};
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    const auto options = rootstock::read_options(count, words);
    if (options.model.empty()) {
        std::fprintf(stderr, "decoder_bench: --model FOLDER|FILE.gguf is missing\n");
        return 2;
    }
    const auto done = rootstock::run(options);
    if (done) return 0;
    std::fprintf(stderr, "decoder_bench: %s\n", done.error().message.c_str());
    return 1;
}
