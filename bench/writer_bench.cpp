// The writer under load, on a real language model:
//
//   writer_bench --model FOLDER [--precision bf16|int8|fp32] [--threads N] [--prompt 256] [--tokens 64] [--rounds N]
//                [--json]
//
// For one stream and for 32 at once: prompt tokens and new tokens a second, and the time to the first token. Then how
// long a newcomer waits for his first token while 32 texts are being written, and what a shared beginning saves.
// Every prompt is of its own seeded random ids, so that nothing is found again unless it is meant to be.

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "infer/infer.h"

namespace rootstock {
namespace {

struct Options {
    std::string model;
    Precision precision = Precision::bf16;
    int threads = 0, prompt = 256, tokens = 64, rounds = 3;
    bool json = false;
};

Precision precision_of(const std::string& word) {
    return word == "fp32" ? Precision::fp32 : word == "int8" ? Precision::int8 : Precision::bf16;
}

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--json") {
            options.json = true;
            continue;
        }
        const std::string value = ++i < count ? words[i] : "";
        const int number = std::max(1, std::atoi(value.c_str()));
        if (word == "--model") options.model = value;
        if (word == "--precision") options.precision = precision_of(value);
        if (word == "--threads") options.threads = number;
        if (word == "--prompt") options.prompt = number;
        if (word == "--tokens") options.tokens = number;
        if (word == "--rounds") options.rounds = number;
    }
    return options;
}

template <typename T>
T need(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "writer_bench: %s\n", result.error().message.c_str());
    std::exit(1);
}

void print(const Options& options, const std::string& name, double value, const char* unit) {
    if (options.json)
        std::printf("%s\n",
                    json::serialize(json::object{{"bench", "writer"}, {"name", name}, {"value", value}, {"unit", unit}})
                        .c_str());
    else
        std::printf("%-46s %9.1f %s\n", name.c_str(), value, unit);
    std::fflush(stdout);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

// When one request was asked, got its first token, and was done.
struct Times {
    double asked = 0, first = 0, done = 0;
};

// Requests under way, and those waited for.
class Callers {
public:
    explicit Callers(Writer& writer) : writer_(writer) {}

    std::size_t ask(std::vector<std::int32_t> prompt, int tokens) {
        WriteRequest request;
        request.prompt = std::move(prompt);
        request.options.tokens_max = request.options.tokens_min = tokens;
        request.options.sampling.temperature = 0;
        const auto place = times_.size();
        times_.push_back({monotonic_seconds(), 0, 0});
        writer_.submit(
            std::move(request),
            [this, place](const WrittenToken&) {
                const std::lock_guard lock(mutex_);
                if (times_[place].first == 0) times_[place].first = monotonic_seconds(), changed_.notify_all();
                return true;
            },
            [this, place](Result<WriteAnswer> answer) {
                need(std::move(answer));
                const std::lock_guard lock(mutex_);
                times_[place].done = monotonic_seconds();
                changed_.notify_all();
            });
        return place;
    }

    void wait(double Times::*moment) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return std::ranges::all_of(times_, [&](const Times& t) { return t.*moment > 0; }); });
    }

    std::vector<Times>& times() { return times_; }

private:
    Writer& writer_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Times> times_;
};

class Bench {
public:
    Bench(const Options& options, Writer& writer) : options_(options), writer_(writer) {}

    void streams(int count) {
        std::vector<double> reading, writing, first;
        for (int round = 0; round <= options_.rounds; ++round) {
            Callers callers(writer_);
            callers.times().reserve(static_cast<std::size_t>(count));
            for (int i = 0; i < count; ++i) callers.ask(prompt(), options_.tokens);
            callers.wait(&Times::done);
            double begin = 1e300, all_first = 0, all_done = 0, sum = 0;
            for (const auto& t : callers.times()) {
                begin = std::min(begin, t.asked);
                all_first = std::max(all_first, t.first), all_done = std::max(all_done, t.done);
                sum += t.first - t.asked;
            }
            if (round == 0) continue;  // code is made
            reading.push_back(count * options_.prompt / (all_first - begin));
            writing.push_back(count * (options_.tokens - 1) / (all_done - all_first));
            first.push_back(sum / count * 1e3);
        }
        const auto name = std::to_string(count) + (count == 1 ? " stream" : " streams");
        print(options_, name + ", prompts of " + std::to_string(options_.prompt), median(reading), "tokens/s");
        print(options_, name + ", written behind", median(writing), "tokens/s");
        print(options_, name + ", mean time to first token", median(first), "ms");
    }

    // A newcomer beside 32 that write.
    void newcomer() {
        std::vector<double> first;
        for (int round = 0; round <= options_.rounds; ++round) {
            Callers old(writer_), fresh(writer_);
            old.times().reserve(32), fresh.times().reserve(1);
            for (int i = 0; i < 32; ++i) old.ask(prompt(16), options_.tokens + 64);
            old.wait(&Times::first);
            fresh.ask(prompt(), 1);
            fresh.wait(&Times::done);
            if (round > 0) first.push_back((fresh.times()[0].first - fresh.times()[0].asked) * 1e3);
            old.wait(&Times::done);
        }
        print(options_, "first token beside 32 streams", median(first), "ms");
    }

    void shared_beginning() {
        std::vector<double> first;
        const auto system = prompt();
        for (int round = 0; round <= options_.rounds; ++round) {
            auto text = system;
            const auto own = prompt(16);
            text.insert(text.end(), own.begin(), own.end());
            Callers callers(writer_);
            callers.times().reserve(1);
            callers.ask(std::move(text), 1);
            callers.wait(&Times::done);
            if (round > 0) first.push_back((callers.times()[0].first - callers.times()[0].asked) * 1e3);
        }
        print(options_, "first token, " + std::to_string(options_.prompt) + " of the prompt known", median(first),
              "ms");
    }

private:
    std::vector<std::int32_t> prompt(int tokens = 0) {
        std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens > 0 ? tokens : options_.prompt));
        const auto words = static_cast<std::uint64_t>(writer_.model().spec().vocabulary);
        for (auto& id : ids) id = static_cast<std::int32_t>(random_.below(words));
        return ids;
    }

    const Options& options_;
    Writer& writer_;
    SeededRandom random_{1};
};

int run(const Options& options) {
    if (options.model.empty()) {
        std::fprintf(stderr,
                     "usage: writer_bench --model FOLDER [--precision bf16|int8|fp32] [--threads N] [--prompt 256] "
                     "[--tokens 64] [--rounds N] [--json]\n");
        return 2;
    }
    auto native = need(NativeModel::load(need(load_model(options.model)), {options.precision, options.threads}));
    if (!options.json) std::printf("%s\n", native->description().c_str());
    auto writer = need(Writer::make(native, {}));
    Bench bench(options, *writer);
    bench.streams(1);
    bench.streams(32);
    bench.newcomer();
    bench.shared_beginning();
    return 0;
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) { return rootstock::run(rootstock::read_options(count, words)); }
