// Nobody hears another tenant's adapter, whatever the batches mix and whoever comes and goes: every tenant has a
// canary, an adapter whose answer tells whose it is. Half of its logits spell the tenant's number out (a head of
// biases), the other half come through its own low-rank updates. The adapters take turns in memory for a tenth of them,
// several callers ask at once, and some ask for the bare base or for an adapter that does not load.
//
// ROOTSTOCK_ISOLATION_REQUESTS sets how many requests: 20,000 here, a million in `make test-long`.

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "infer/tiny_test_model.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

constexpr int kTenants = 200, kBits = 8, kTexts = 4, kCallers = 4, kUnderWay = 48;

Adapter canary(int tenant) {
    auto made = tiny::adapter(static_cast<std::uint64_t>(1000 + tenant), 2 * kBits);
    const auto width = static_cast<std::size_t>(made.head.width);
    for (std::size_t bit = 0; bit < kBits; ++bit) {
        std::fill_n(made.head.weight.begin() + static_cast<std::ptrdiff_t>(bit * width), width, 0.0f);
        made.head.bias[bit] = tenant >> bit & 1 ? 1.0f : -1.0f;
    }
    return made;
}

int spelled(const std::vector<float>& logits) {
    int tenant = 0;
    for (int bit = 0; bit < kBits; ++bit) tenant |= (logits[static_cast<std::size_t>(bit)] > 0 ? 1 : 0) << bit;
    return tenant;
}

bool near(const std::vector<float>& found, const std::vector<float>& wanted) {
    if (found.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < found.size(); ++i)
        if (!(std::abs(found[i] - wanted[i]) < 1e-4f)) return false;
    return true;
}

// Every tenant's adapter on disk, and what it and the base answer to each text when nobody else is there.
class Canaries {
public:
    Canaries() : folder_(fs::temp_directory_path() / ("rootstock-canaries-" + secret_base62(8))) {
        fs::create_directory(folder_);
        for (const char* text : {"where is my card?", "help", "my phone is lost and i have no money", "hello my card"})
            texts.push_back(tiny::tokens(text));
        Executor executor(tiny::base().model);
        for (int tenant = 0; tenant < kTenants; ++tenant) {
            const auto adapter = canary(tenant);
            tiny::must(save_adapter(folder(tenant), adapter, tiny::model().spec));
            const auto native = tiny::must(NativeAdapter::load(*tiny::base().model, adapter));
            bytes = native->bytes();
            for (const auto& text : texts) answers.push_back(tiny::logits(*native, text));
        }
        for (const auto& text : texts) {
            PackedBatch batch;
            batch.add_row(text);
            const auto found = tiny::must(executor.embed(batch));
            embeddings.emplace_back(found.begin(), found.end());
        }
    }
    ~Canaries() { fs::remove_all(folder_); }

    fs::path folder(int tenant) const { return folder_ / std::to_string(tenant); }
    const std::vector<float>& answer(int tenant, std::size_t text) const {
        return answers[static_cast<std::size_t>(tenant) * kTexts + text];
    }

    std::vector<std::vector<std::int32_t>> texts;
    std::vector<std::vector<float>> answers, embeddings;
    std::size_t bytes = 0;

private:
    fs::path folder_;
};

// One caller's window of requests under way, and what went wrong in them.
class Caller {
public:
    Caller(const Canaries& canaries, Scheduler& scheduler, Residency& residency, std::uint64_t seed)
        : canaries_(canaries), scheduler_(scheduler), residency_(residency), random_(seed) {}

    void run(int requests) {
        for (int i = 0; i < requests; ++i) {
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return under_way_ < kUnderWay; });
                ++under_way_;
            }
            ask();
        }
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return under_way_ == 0; });
    }

    std::atomic<int> other_tenants{0}, wrong{0}, unanswered{0}, answered{0}, refused{0};

private:
    // Nine in ten ask one of the first thirty tenants, as customers do; the rest keeps adapters coming and going.
    void ask() {
        const auto text = static_cast<std::size_t>(random_.below(kTexts));
        const int tenant = static_cast<int>(random_.below(10) ? random_.below(30) : random_.below(kTenants));
        const auto kind = random_.below(20);
        if (kind == 0) return embed(tenant, text);
        if (kind == 1) return ask_for_nothing();
        const AdapterId id("adapter-" + std::to_string(tenant));
        if (auto resident = residency_.find(id)) return classify(tenant, text, resident->native);
        residency_.load(id, canaries_.folder(tenant), [this, tenant, text](Result<ResidentAdapterPtr> loaded) {
            if (!loaded) return ++unanswered, done();
            classify(tenant, text, (*loaded)->native);
        });
    }

    void classify(int tenant, std::size_t text, std::shared_ptr<const NativeAdapter> adapter) {
        auto request = request_of(tenant, text, InferKind::logits);
        request.adapter = std::move(adapter);
        scheduler_.submit(std::move(request), [this, tenant, text](Result<InferAnswer> answer) {
            if (!answer)
                ++unanswered;
            else if (answer->rows[0].size() != 2 * kBits || spelled(answer->rows[0]) != tenant)
                ++other_tenants;
            else
                near(answer->rows[0], canaries_.answer(tenant, text)) ? ++answered : ++wrong;
            done();
        });
    }

    void embed(int tenant, std::size_t text) {
        scheduler_.submit(request_of(tenant, text, InferKind::embedding), [this, text](Result<InferAnswer> answer) {
            if (!answer)
                ++unanswered;
            else
                near(answer->rows[0], canaries_.embeddings[text]) ? ++answered : ++wrong;
            done();
        });
    }

    void ask_for_nothing() {
        residency_.load(AdapterId("nothing"), canaries_.folder(kTenants), [this](Result<ResidentAdapterPtr> loaded) {
            loaded ? ++wrong : ++refused;
            done();
        });
    }

    InferRequest request_of(int tenant, std::size_t text, InferKind kind) const {
        InferRequest request;
        request.tenant = TenantId("tenant-" + std::to_string(tenant));
        request.kind = kind;
        request.rows.push_back(canaries_.texts[text]);
        return request;
    }

    void done() {
        const std::lock_guard lock(mutex_);
        --under_way_;
        changed_.notify_one();
    }

    const Canaries& canaries_;
    Scheduler& scheduler_;
    Residency& residency_;
    SeededRandom random_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int under_way_ = 0;
};

TEST(Isolation, NobodyHearsAnotherTenantsAdapter) {
    const char* wanted = std::getenv("ROOTSTOCK_ISOLATION_REQUESTS");
    const int requests = wanted ? std::max(kCallers, std::atoi(wanted)) : 20'000;
    constexpr std::uint64_t kSeed = 77;
    std::printf("%d requests, seed %llu\n", requests, static_cast<unsigned long long>(kSeed));
    const Canaries canaries;
    Residency residency(tiny::base(), {.bytes_max = canaries.bytes * kTenants / 10});
    std::vector<std::unique_ptr<Caller>> callers;
    {
        SchedulerSettings settings;
        settings.batch_tokens_max = 256;
        Scheduler scheduler(tiny::base().model, settings);
        std::vector<std::thread> threads;
        for (std::uint64_t c = 0; c < kCallers; ++c) {
            callers.push_back(std::make_unique<Caller>(canaries, scheduler, residency, kSeed + c));
            threads.emplace_back([caller = callers.back().get(), requests] { caller->run(requests / kCallers); });
        }
        for (auto& thread : threads) thread.join();
    }
    int answered = 0;
    for (const auto& caller : callers) {
        EXPECT_EQ(caller->other_tenants, 0);
        EXPECT_EQ(caller->wrong, 0);
        EXPECT_EQ(caller->unanswered, 0);
        EXPECT_GT(caller->refused, 0);
        answered += caller->answered;
    }
    EXPECT_GT(answered, requests * 9 / 10);
    const auto load = residency.load();
    EXPECT_GT(load.evictions, static_cast<std::uint64_t>(requests / 200));
    EXPECT_EQ(load.loading, 0u);
    EXPECT_EQ(load.waiting, 0u);
    std::printf("%d answers, %llu loads, %llu evictions, %llu failures\n", answered,
                static_cast<unsigned long long>(load.loads), static_cast<unsigned long long>(load.evictions),
                static_cast<unsigned long long>(load.failures));
}

}  // namespace
}  // namespace rootstock
