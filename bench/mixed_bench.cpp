// What a thousand customers cost against one: requests of one text each, through Residency and Scheduler.
//
//   mixed_bench --model FOLDER --work FOLDER [--tenants N] [--registered N] [--resident N] [--requests N] [--rounds N]
//               [--concurrency N] [--targets query,value|all-linear] [--precision bf16|fp32] [--threads N] [--json]
//
// Makes adapters of rank 8 with a head of four classes and random weights under --work (kept for the next run), and
// measures in turns, round by round, so that whatever else the machine does meets all of them alike:
//
//   base          embeddings of the bare base
//   base + head   one adapter without low-rank updates: the base, the pooler and a head
//   one adapter   every request on the same adapter
//   N tenants     every request on the adapter of a uniformly drawn tenant, all resident
//   Zipf          ranks drawn with probability 1 / rank among `registered`, of which `resident` fit in memory
//
// Texts of 8 to 24 tokens. Prints requests per second (median of the rounds) and the ratios (medians of each round's
// own), one line each, or one JSON object a line.

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "infer/infer.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

struct Options {
    fs::path model, work;
    std::string targets = "query,value";
    int tenants = 1000, registered = 10000, resident = 1000;
    int requests = 2000, rounds = 5, concurrency = 256;
    NativeOptions native;
    bool json = false;
};

Options read_options(int count, char** words) {
    Options o;
    const auto number = [&](int i) { return std::max(1, std::atoi(words[i + 1])); };
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--json") {
            o.json = true;
            continue;
        }
        if (i + 1 >= count) break;
        if (word == "--model") o.model = words[i + 1];
        if (word == "--work") o.work = words[i + 1];
        if (word == "--targets") o.targets = words[i + 1];
        if (word == "--tenants") o.tenants = number(i);
        if (word == "--registered") o.registered = number(i);
        if (word == "--resident") o.resident = number(i);
        if (word == "--requests") o.requests = number(i);
        if (word == "--rounds") o.rounds = number(i);
        if (word == "--concurrency") o.concurrency = number(i);
        if (word == "--precision" && std::string(words[i + 1]) == "fp32") o.native.precision = Precision::fp32;
        if (word == "--threads") o.native.threads = number(i);
        ++i;
    }
    return o;
}

template <typename T>
T need(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "mixed_bench: %s\n", result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void print(const Options& options, const std::string& name, double value, const char* unit) {
    if (options.json)
        std::printf("%s\n",
                    json::serialize(json::object{{"bench", "mixed"}, {"name", name}, {"value", value}, {"unit", unit}})
                        .c_str());
    else
        std::printf("%-52s %10.3f %s\n", name.c_str(), value, unit);
    std::fflush(stdout);
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

// ---- adapters on disk ----

std::vector<float> weights(SeededRandom& random, std::size_t count) {
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(0.08 * (random.uniform() - 0.5));
    return values;
}

// Rank 0: a head only.
Adapter some_adapter(const TransformerSpec& spec, const std::string& targets, int rank, std::uint64_t seed) {
    SeededRandom random(seed);
    Adapter adapter;
    adapter.settings.rank = std::max(1, rank);
    adapter.settings.alpha = 2.0 * adapter.settings.rank;
    const auto size = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
    for (const auto& map : linear_maps(spec)) {
        const bool wanted = targets == "all-linear" || ("," + targets + ",").contains("," + map.kind + ",");
        if (rank > 0 && wanted)
            adapter.pairs[map.module] = {
                rank,    lora_scale(adapter.settings, rank),  map.in,
                map.out, weights(random, size(rank, map.in)), weights(random, size(map.out, rank))};
    }
    adapter.head = {4, spec.width, weights(random, size(4, spec.width)), weights(random, 4)};
    adapter.labels = {"a", "b", "c", "d"};
    return adapter;
}

class Grove {
public:
    Grove(const Options& options, const TransformerSpec& spec)
        : root_(options.work / options.targets), registered_(options.registered) {
        fs::create_directories(root_);
        for (int i = 0; i < options.registered; ++i)
            if (!fs::exists(folder(i)))
                need(save_adapter(folder(i), some_adapter(spec, options.targets, 8, static_cast<std::uint64_t>(i)),
                                  spec));
    }
    fs::path folder(int i) const { return root_ / std::to_string(i); }

    // Each adapter was in use once: its packed copy stands beside it.
    void pack(const ServedBase& base) const {
        for (int i = 0; i < registered_; ++i) {
            if (NativeAdapter::load_packed(*base.model, folder(i), base.digest)) continue;
            const auto stamp = need(adapter_stamp(folder(i)));
            const auto adapter = need(load_adapter(folder(i), base.model->spec()));
            const auto native = need(NativeAdapter::load(*base.model, adapter));
            need(native->save_packed(*base.model, folder(i), stamp, adapter, base.digest));
        }
    }

private:
    fs::path root_;
    int registered_;
};

// ---- traffic ----

using Choose = std::function<int(SeededRandom&)>;  // the next request's adapter; -1: the bare base

// Keeps a number of requests under way until all are answered.
class Traffic {
public:
    Traffic(const ServedBase& base, Scheduler& scheduler, Residency& residency, const Grove& grove, int concurrency)
        : scheduler_(scheduler), residency_(residency), grove_(grove), free_(concurrency), concurrency_(concurrency) {
        SeededRandom random(7);
        const auto& spec = base.model->spec();
        for (int i = 0; i < 512; ++i) {
            std::vector<std::int32_t> text(8 + random.below(17));
            for (auto& id : text)
                id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(spec.vocabulary)));
            texts_.push_back(std::move(text));
        }
    }

    // Requests per second.
    double run(int requests, std::uint64_t seed, const Choose& choose,
               std::shared_ptr<const NativeAdapter> fixed = {}) {
        SeededRandom random(seed);
        const double begin = monotonic_seconds();
        for (int i = 0; i < requests; ++i) {
            take();
            ask(fixed ? -1 : choose(random), texts_[random.below(texts_.size())], fixed);
        }
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return free_ == concurrency_; });
        return requests / (monotonic_seconds() - begin);
    }

private:
    void take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return free_ > 0; });
        --free_;
    }

    void give(const Result<InferAnswer>& answer) {
        if (!answer) need(Result<void>(fail(answer.error())));
        const std::lock_guard lock(mutex_);
        ++free_;
        changed_.notify_one();
    }

    void submit(int tenant, std::vector<std::int32_t> text, std::shared_ptr<const NativeAdapter> adapter) {
        InferRequest request;
        request.tenant = TenantId(std::to_string(tenant));
        request.kind = adapter ? InferKind::logits : InferKind::embedding;
        request.adapter = std::move(adapter);
        request.rows.push_back(std::move(text));
        scheduler_.submit(std::move(request), [this](Result<InferAnswer> answer) { give(answer); });
    }

    void ask(int tenant, std::vector<std::int32_t> text, std::shared_ptr<const NativeAdapter> fixed) {
        if (tenant < 0) return submit(tenant, std::move(text), std::move(fixed));
        const AdapterId id(std::to_string(tenant));
        if (const auto resident = residency_.find(id)) return submit(tenant, std::move(text), resident->native);
        residency_.load(id, grove_.folder(tenant),
                        [this, tenant, text = std::move(text)](Result<ResidentAdapterPtr> loaded) mutable {
                            submit(tenant, std::move(text), need(std::move(loaded))->native);
                        });
    }

    Scheduler& scheduler_;
    Residency& residency_;
    const Grove& grove_;
    std::vector<std::vector<std::int32_t>> texts_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int free_, concurrency_;
};

// Ranks with probability 1 / rank.
Choose zipf(int count) {
    std::vector<double> up_to;
    double sum = 0;
    for (int i = 1; i <= count; ++i) up_to.push_back(sum += 1.0 / i);
    return [up_to = std::move(up_to)](SeededRandom& random) {
        const double point = random.uniform() * up_to.back();
        return static_cast<int>(std::ranges::upper_bound(up_to, point) - up_to.begin());
    };
}

struct Variant {
    std::string name;
    Traffic* traffic;
    Choose choose;
    std::shared_ptr<const NativeAdapter> fixed = {};
    std::vector<double> rates = {};
};

double ratio(const Variant& a, const Variant& b) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.rates.size(); ++i) ratios.push_back(a.rates[i] / b.rates[i]);
    return median(std::move(ratios));
}

// What one adapter weighs as its file would hold it in the precision the model runs in.
double weight_bytes(const Adapter& adapter, const NativeModel& model) {
    std::size_t numbers = 0;
    for (const auto& [module, pair] : adapter.pairs) numbers += pair.a.size() + pair.b.size();
    const double each = model.precision() == Precision::bf16 ? 2 : 4;
    return each * static_cast<double>(numbers) +
           4.0 * static_cast<double>(adapter.head.weight.size() + adapter.head.bias.size());
}

void report_residency(const Options& o, const std::string& name, const ResidencyLoad& load) {
    print(o, name + ": loads", static_cast<double>(load.loads), "");
    print(o, name + ": of these from packed copies", static_cast<double>(load.packed_loads), "");
    print(o, name + ": a load on its thread",
          static_cast<double>(load.load_micros) / static_cast<double>(std::max<std::uint64_t>(1, load.loads)), "us");
    print(o, name + ": evictions", static_cast<double>(load.evictions), "");
    print(o, name + ": resident at the end", static_cast<double>(load.adapters), "");
}

int run(const Options& o) {
    if (o.model.empty() || o.work.empty()) {
        std::fprintf(stderr, "usage: mixed_bench --model FOLDER --work FOLDER [...]; see the head of the source\n");
        return 2;
    }
    const auto model = need(load_model(o.model));
    const ServedBase base{need(NativeModel::load(model, o.native)), need(Tokenizer::load(o.model)),
                          need(model_digest(o.model))};
    const auto& spec = base.model->spec();
    const Grove grove(o, spec);
    grove.pack(base);
    const auto sample = some_adapter(spec, o.targets, 8, 0);
    const auto native = need(NativeAdapter::load(*base.model, sample));
    if (!o.json) std::printf("%s; %s, rank 8\n", base.model->description().c_str(), o.targets.c_str());
    print(o, "bytes of a resident adapter / of its weights",
          static_cast<double>(native->bytes()) / weight_bytes(sample, *base.model), "x");
    print(o, "bytes of a resident adapter", static_cast<double>(native->bytes()) * 1e-6, "MB");

    Scheduler scheduler(base.model);
    Residency all(base, {.bytes_max = native->bytes() * static_cast<std::size_t>(o.tenants + 1)});
    Residency some(base, {.bytes_max = native->bytes() * static_cast<std::size_t>(o.resident)});
    Traffic all_traffic(base, scheduler, all, grove, o.concurrency),
        some_traffic(base, scheduler, some, grove, o.concurrency);
    const auto head_only = need(NativeAdapter::load(*base.model, some_adapter(spec, o.targets, 0, 1)));
    const auto tenants = static_cast<std::uint64_t>(o.tenants);
    std::vector<Variant> variants{
        {"base", &all_traffic, [](SeededRandom&) { return -1; }},
        {"base + head", &all_traffic, {}, head_only},
        {"one adapter", &all_traffic, [](SeededRandom&) { return 0; }},
        {std::to_string(o.tenants) + " tenants", &all_traffic,
         [=](SeededRandom& r) { return static_cast<int>(r.below(tenants)); }},
        {"Zipf, " + std::to_string(o.registered) + " registered", &some_traffic, zipf(o.registered)}};

    int next = 0;
    const double begin = monotonic_seconds();
    all_traffic.run(o.tenants, 1, [&](SeededRandom&) { return next++; });  // everything comes in once
    print(o, "first use of " + std::to_string(o.tenants) + " adapters, each",
          (monotonic_seconds() - begin) / o.tenants * 1e3, "ms");
    some_traffic.run(3 * o.resident, 2, variants.back().choose);
    for (int round = 0; round < o.rounds; ++round)
        for (auto& v : variants)
            v.rates.push_back(v.traffic->run(o.requests, 100 + static_cast<std::uint64_t>(round), v.choose, v.fixed));
    for (const auto& v : variants) print(o, v.name, median(v.rates), "requests/s");
    const auto& [bare, head, one, many, drawn] =
        std::tie(variants[0], variants[1], variants[2], variants[3], variants[4]);
    print(o, many.name + " / one adapter", ratio(many, one), "x");
    print(o, many.name + " / base", ratio(many, bare), "x");
    print(o, many.name + " / base + head", ratio(many, head), "x");
    print(o, "one adapter / base", ratio(one, bare), "x");
    print(o, drawn.name + " / one adapter", ratio(drawn, one), "x");
    report_residency(o, drawn.name, some.load());
    return 0;
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) { return rootstock::run(rootstock::read_options(count, words)); }
