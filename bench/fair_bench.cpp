// What one greedy customer does to the others, through Scheduler, on the bare base:
//
//   fair_bench --model FOLDER [--tenants 16] [--each 4] [--greed 50] [--requests N] [--rounds N] [--threads N] [--json]
//
// Every tenant keeps `each` requests under way, so that the machine is full and each has an equal share of it. Then the
// first keeps `greed` times as many. Both are measured in turns, round by round; the latencies are those of all others,
// without their first rounds of requests, which meet an empty queue or the greedy one's first wave.
// Texts of 8 to 24 tokens. Prints milliseconds (medians of the rounds) and ratios (medians of each round's own).

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
    int tenants = 16, each = 4, greed = 50, requests = 4000, rounds = 5;
    NativeOptions native;
    bool json = false;
};

Options read_options(int count, char** words) {
    Options o;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--json") {
            o.json = true;
            continue;
        }
        if (i + 1 >= count) break;
        const std::string value = words[++i];
        const int number = std::max(1, std::atoi(value.c_str()));
        if (word == "--model") o.model = value;
        if (word == "--tenants") o.tenants = std::max(2, number);
        if (word == "--each") o.each = number;
        if (word == "--greed") o.greed = number;
        if (word == "--requests") o.requests = number;
        if (word == "--rounds") o.rounds = number;
        if (word == "--threads") o.native.threads = number;
    }
    return o;
}

void print(const Options& options, const std::string& name, double value, const char* unit) {
    if (options.json)
        std::printf(
            "%s\n",
            json::serialize(json::object{{"bench", "fair"}, {"name", name}, {"value", value}, {"unit", unit}}).c_str());
    else
        std::printf("%-44s %10.3f %s\n", name.c_str(), value, unit);
}

double percentile(std::vector<double> values, double share) {
    const auto last = static_cast<double>(values.size() - 1);
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(last * share);
    std::ranges::nth_element(values, place);
    return *place;
}

// Every tenant sends its next request when one of its own is answered, until the others have `requests` answers.
class Crowd {
public:
    Crowd(const Options& options, Scheduler& scheduler, std::uint64_t words)
        : options_(options), scheduler_(scheduler), words_(words) {}

    // Seconds that each request of the others took.
    std::vector<double> run(int greed, std::uint64_t seed) {
        random_ = SeededRandom(seed);
        taken_.clear();
        first_ = 5 * options_.each * options_.tenants;
        going_on_ = true;
        for (int i = 0; i < options_.each * std::max(greed, 1); ++i) ask(0);
        for (int tenant = 1; tenant < options_.tenants; ++tenant)
            for (int i = 0; i < options_.each; ++i) ask(tenant);
        std::unique_lock lock(mutex_);
        done_.wait(lock, [&] { return under_way_ == 0; });
        return taken_;
    }

private:
    void ask(int tenant) {
        InferRequest request;
        request.tenant = TenantId(std::to_string(tenant));
        request.kind = InferKind::embedding;
        {
            const std::lock_guard lock(mutex_);
            ++under_way_;
            std::vector<std::int32_t> text(8 + random_.below(17));
            for (auto& id : text) id = static_cast<std::int32_t>(random_.below(words_));
            request.rows.push_back(std::move(text));
        }
        const double begin = monotonic_seconds();
        scheduler_.submit(std::move(request), [this, tenant, begin](Result<InferAnswer> answer) {
            if (!answer) {
                std::fprintf(stderr, "fair_bench: %s\n", answer.error().message.c_str());
                std::exit(1);
            }
            if (answered(tenant, monotonic_seconds() - begin)) ask(tenant);
            const std::lock_guard lock(mutex_);
            if (--under_way_ == 0) done_.notify_one();
        });
    }

    // Whether this tenant goes on.
    bool answered(int tenant, double seconds) {
        const std::lock_guard lock(mutex_);
        if (tenant > 0 && going_on_ && --first_ < 0) taken_.push_back(seconds);
        if (taken_.size() >= static_cast<std::size_t>(options_.requests)) going_on_ = false;
        return going_on_;
    }

    const Options& options_;
    Scheduler& scheduler_;
    std::uint64_t words_;  // of the vocabulary
    std::mutex mutex_;
    std::condition_variable done_;
    SeededRandom random_{0};
    std::vector<double> taken_;
    int under_way_ = 0;
    int first_ = 0;  // answers of the others that do not count
    bool going_on_ = false;
};

Result<void> run(const Options& o) {
    ROOTSTOCK_TRY(model, load_model(o.model));
    ROOTSTOCK_TRY(native, NativeModel::load(model, o.native));
    if (!o.json) std::printf("%s; %d tenants, %d requests each\n", native->description().c_str(), o.tenants, o.each);
    Scheduler scheduler(native);
    Crowd crowd(o, scheduler, static_cast<std::uint64_t>(native->spec().vocabulary));
    crowd.run(1, 1);  // makes the code that the others run
    crowd.run(o.greed, 2);
    std::vector<double> p50s[2], p99s[2], ratios[2];
    for (int round = 0; round < o.rounds; ++round) {
        for (const int greedy : {0, 1}) {
            const auto taken = crowd.run(greedy ? o.greed : 1, 100 + static_cast<std::uint64_t>(round));
            p50s[greedy].push_back(percentile(taken, 0.5));
            p99s[greedy].push_back(percentile(taken, 0.99));
        }
        ratios[0].push_back(p50s[1].back() / p50s[0].back());
        ratios[1].push_back(p99s[1].back() / p99s[0].back());
    }
    const auto times = std::to_string(o.greed) + " times its share";
    print(o, "the others' median, all alike", percentile(p50s[0], 0.5) * 1e3, "ms");
    print(o, "the others' p99, all alike", percentile(p99s[0], 0.5) * 1e3, "ms");
    print(o, "the others' median, one at " + times, percentile(p50s[1], 0.5) * 1e3, "ms");
    print(o, "the others' p99, one at " + times, percentile(p99s[1], 0.5) * 1e3, "ms");
    print(o, "median / median", percentile(ratios[0], 0.5), "x");
    print(o, "p99 / p99", percentile(ratios[1], 0.5), "x");
    return {};
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    const auto options = rootstock::read_options(count, words);
    if (options.model.empty()) {
        std::fprintf(stderr, "usage: fair_bench --model FOLDER [...]; see the head of the source\n");
        return 2;
    }
    const auto done = rootstock::run(options);
    if (done) return 0;
    std::fprintf(stderr, "fair_bench: %s\n", done.error().message.c_str());
    return 1;
}
