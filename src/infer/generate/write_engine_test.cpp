// The writer without its thread, step by step: what is shared, who waits, who gives way, and what is counted.

#include "infer/generate/write_engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

#include "infer/generate/test_golden.h"

namespace rootstock {
namespace {

using Ids = std::vector<std::int32_t>;

struct Heard {
    std::vector<WrittenToken> tokens;
    std::optional<Result<WriteAnswer>> answer;
    double asked = 0, told = 0;  // on the test's clock
    const WriteAnswer& good() const { return answer->value(); }
    const Ids& ids() const { return good().choices.front().ids; }
};
using HeardPtr = std::shared_ptr<Heard>;

// A writer whose steps the test calls. Its clock counts the tokens of all steps, and so many more for each step.
class Desk {
public:
    explicit Desk(const Golden& golden, WriterSettings settings = {}) {
        settings.on_step = [this](const StepFacts& facts) {
            micros += facts.micros;
            clock += static_cast<double>(facts.prompt_tokens + facts.new_tokens) + kStepCost;
        };
        engine = WriteEngine::make(golden.native, settings).value();
    }

    HeardPtr ask(WriteRequest request) {
        auto heard = std::make_shared<Heard>();
        EXPECT_TRUE(engine->check(request)) << engine->check(request).error().message;
        if (auto room = engine->room().enter(request.tenant, request.prompt.size()); !room) {
            heard->answer = fail(room.error());
            return heard;
        }
        auto job = std::make_unique<WriteJob>();
        job->ticket = ++tickets;
        job->request = std::move(request);
        job->listener = [heard, this](const WrittenToken& token) {
            heard->tokens.push_back(token);
            return listen ? listen(token) : true;
        };
        heard->asked = clock;
        job->done = [heard, this](Result<WriteAnswer> answer) {
            heard->answer = std::move(answer);
            heard->told = clock;
        };
        engine->accept(std::move(job));
        return heard;
    }

    void run(double now = 0) {
        for (int steps = 0; !engine->idle(); ++steps) {
            ASSERT_LT(steps, 100'000) << "the writer stands still";
            engine->step(now);
        }
    }

    static constexpr double kStepCost = 16;
    std::unique_ptr<WriteEngine> engine;
    WriteTicket tickets = 0;
    std::int64_t micros = 0;
    double clock = 0;
    std::function<bool(const WrittenToken&)> listen;
};

WriteRequest greedy(const Ids& prompt, int tokens = 24, const std::string& tenant = "t") {
    WriteRequest request;
    request.tenant = TenantId(tenant);
    request.prompt = prompt;
    request.options.tokens_max = tokens;
    request.options.sampling.temperature = 0;
    return request;
}

Ids text(std::size_t tokens, std::uint64_t seed) {
    SeededRandom random(seed);
    Ids ids(tokens);
    for (auto& id : ids) id = static_cast<std::int32_t>(3 + random.below(70));
    return ids;
}

Ids joined(Ids a, const Ids& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

class WriteEngineTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (!golden().native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    }

    static const Golden& golden() {
        static const Golden loaded("llama");
        return loaded;
    }

    static std::size_t block_bytes(int tokens) {
        return Cache::make(golden().native, {1, tokens}).value().block_bytes();
    }

    // Room for so many blocks of 16 tokens.
    static WriterSettings small(int blocks) {
        WriterSettings settings;
        settings.block_tokens = 16;
        settings.cache_bytes = static_cast<std::size_t>(blocks) * block_bytes(16);
        settings.prefix_bytes = settings.cache_bytes;
        return settings;
    }

    static std::shared_ptr<const NativeAdapter> adapter(std::uint64_t seed, int rank = 4) {
        SeededRandom random(seed);
        const auto numbers = [&](int count) {
            std::vector<float> values(static_cast<std::size_t>(count));
            for (auto& value : values) value = static_cast<float>(0.1 * random.normal());
            return values;
        };
        Adapter made;
        for (const auto& map : linear_maps(golden().model.spec))
            made.pairs[map.module] = {rank, 2.0f, map.in, map.out, numbers(rank * map.in), numbers(map.out * rank)};
        return NativeAdapter::load(*golden().native, made).value();
    }

    static Ids alone(WriteRequest request) {
        Desk desk(golden(), small(64));
        const auto heard = desk.ask(std::move(request));
        desk.run();
        return heard->ids();
    }
};

TEST_F(WriteEngineTest, APromptOfTheSameTenantStartsBehindWhatItKnows) {
    Desk desk(golden(), small(64));
    const auto system = text(40, 1), first = joined(system, text(5, 2)), second = joined(system, text(9, 3));
    const auto one = desk.ask(greedy(first));
    desk.run();
    const auto two = desk.ask(greedy(second));
    desk.run();
    EXPECT_EQ(one->good().cached_tokens, 0);
    EXPECT_EQ(two->good().cached_tokens, 32);  // two full blocks of sixteen
    EXPECT_EQ(two->good().prompt_tokens, 49);
    EXPECT_EQ(two->ids(), alone(greedy(second)));
    const auto again = desk.ask(greedy(Ids(system.begin(), system.begin() + 32)));
    desk.run();
    EXPECT_EQ(again->good().cached_tokens, 16);  // the last token is read in any case
    EXPECT_EQ(again->ids(), alone(greedy(Ids(system.begin(), system.begin() + 32))));
}

TEST_F(WriteEngineTest, NothingIsReusedAcrossTenantsOrAdapters) {
    Desk desk(golden(), small(64));
    const auto prompt = text(50, 4);
    const auto a = adapter(1), b = adapter(2), a_again = adapter(1);
    const auto cached = [&](const char* tenant, const std::shared_ptr<const NativeAdapter>& own) {
        auto request = greedy(prompt, 8, tenant);
        request.adapter = own;
        auto copy = request;
        const auto heard = desk.ask(std::move(request));
        desk.run();
        EXPECT_EQ(heard->ids(), alone(std::move(copy)));
        return heard->good().cached_tokens;
    };
    EXPECT_EQ(cached("one", nullptr), 0);
    EXPECT_EQ(cached("two", nullptr), 0);
    EXPECT_EQ(cached("one", a), 0);
    EXPECT_EQ(cached("one", b), 0);
    EXPECT_EQ(cached("two", a), 0);
    EXPECT_EQ(cached("one", a_again), 0);  // loaded anew: another one, whatever its numbers
    EXPECT_EQ(cached("one", nullptr), 48);
    EXPECT_EQ(cached("one", a), 48);
}

TEST_F(WriteEngineTest, WhatIsKeptStaysWithinItsBytesAndTheOldestGoes) {
    auto settings = small(64);
    settings.prefix_bytes = 5 * block_bytes(16);
    Desk desk(golden(), settings);
    const auto ask = [&](std::uint64_t seed) {
        const auto heard = desk.ask(greedy(text(33, seed), 2));
        desk.run();
        EXPECT_LE(desk.engine->load().blocks_kept, 5);
        return heard->good().cached_tokens;
    };
    for (const std::uint64_t seed : {10, 11, 10, 12}) ask(seed);
    EXPECT_EQ(ask(10), 32);  // used last
    EXPECT_LT(ask(11), 32);
}

TEST_F(WriteEngineTest, WithoutRoomTheYoungestGiveWayAndEveryTextComesOutWhole) {
    Desk desk(golden(), small(9));
    std::vector<HeardPtr> heard;
    std::vector<Ids> prompts;
    for (std::uint64_t n = 0; n < 8; ++n) {
        prompts.push_back(text(12 + n, 20 + n));
        heard.push_back(desk.ask(greedy(prompts.back(), 60)));
    }
    desk.run();
    EXPECT_GT(desk.engine->load().preemptions, 0);
    for (std::size_t n = 0; n < prompts.size(); ++n) {
        EXPECT_EQ(heard[n]->ids(), alone(greedy(prompts[n], 60))) << n;
        EXPECT_EQ(heard[n]->good().completion_tokens, static_cast<std::int64_t>(heard[n]->tokens.size()));
    }
    const auto load = desk.engine->load();
    EXPECT_EQ(load.blocks_free, load.blocks);  // nothing is lost
    EXPECT_EQ(load.rows_running, 0u);
}

TEST_F(WriteEngineTest, APromptThatIsReadHoldsNobodyUp) {
    auto settings = small(64);
    settings.chunk_tokens_max = 8;
    Desk desk(golden(), settings);
    const auto writing = desk.ask(greedy(text(5, 1), 30));
    desk.engine->step(0);
    const auto reading = desk.ask(greedy(text(64, 2), 4));
    std::size_t steps = 0;
    for (; reading->tokens.empty(); ++steps) {
        const auto before = writing->tokens.size();
        desk.engine->step(0);
        ASSERT_TRUE(writing->answer || writing->tokens.size() == before + 1) << "a token every step";
    }
    EXPECT_EQ(steps, 8u);
    desk.run();
    EXPECT_EQ(reading->ids(), alone(greedy(text(64, 2), 4)));
}

TEST_F(WriteEngineTest, ACancelledTextEndsBeforeTheNextStepAndIsCounted) {
    Desk desk(golden(), small(64));
    const auto stays = desk.ask(greedy(text(10, 1))), goes = desk.ask(greedy(text(10, 2)));
    for (int i = 0; i < 3; ++i) desk.engine->step(0);
    const auto free = desk.engine->load().blocks_free;
    desk.engine->cancel(2);
    ASSERT_TRUE(goes->answer);
    EXPECT_EQ(goes->good().choices.front().finish, Finish::cancelled);
    EXPECT_EQ(goes->good().completion_tokens, 3);
    EXPECT_EQ(goes->ids().size(), 3u);
    EXPECT_GT(desk.engine->load().blocks_free, free);
    desk.engine->cancel(2), desk.engine->cancel(77);  // too late, and nobody's: nothing happens
    desk.run();
    EXPECT_EQ(stays->ids(), alone(greedy(text(10, 1))));
    const auto waits = desk.ask(greedy(text(10, 3)));
    desk.engine->cancel(3);
    EXPECT_EQ(waits->answer->error().code, ErrorCode::cancelled);
}

TEST_F(WriteEngineTest, ADeadlineIsKeptBeforeAndWithin) {
    Desk desk(golden(), small(64));
    auto request = greedy(text(10, 1));
    request.deadline = 5;
    const auto begun = desk.ask(request);
    desk.engine->step(4);
    const auto waits = desk.ask(request);
    desk.engine->step(6);
    EXPECT_EQ(begun->good().choices.front().finish, Finish::deadline);
    EXPECT_EQ(begun->good().completion_tokens, 1);
    EXPECT_EQ(waits->answer->error().reason, "queue_timeout");
}

TEST_F(WriteEngineTest, ManyAdaptersOfManyRanksShareAStep) {
    Desk desk(golden(), small(64));
    std::vector<HeardPtr> heard;
    std::vector<WriteRequest> asked;
    for (std::uint64_t n = 0; n < 6; ++n) {
        auto request = greedy(text(9 + n, n), 12, "t" + std::to_string(n % 3));
        if (n > 0) request.adapter = adapter(n, static_cast<int>(2 * n));
        asked.push_back(request);
        heard.push_back(desk.ask(std::move(request)));
    }
    desk.run();
    std::int64_t parts = 0;
    for (std::size_t n = 0; n < heard.size(); ++n) {
        parts += heard[n]->good().compute_micros;
        EXPECT_EQ(heard[n]->ids(), alone(std::move(asked[n]))) << n;
    }
    EXPECT_EQ(parts, desk.micros);  // every microsecond is somebody's
}

TEST_F(WriteEngineTest, SeedsRepeatWhoeverIsThere) {
    auto request = greedy(text(10, 1), 20);
    request.options.sampling.temperature = 1.3;
    request.options.sampling.seed = 7;
    request.choices = 3;
    Desk first(golden(), small(64)), second(golden(), small(64));
    const auto one = first.ask(request);
    first.run();
    for (std::uint64_t n = 0; n < 5; ++n) second.ask(greedy(text(11, 30 + n), 17));
    const auto two = second.ask(request);
    second.run();
    ASSERT_EQ(one->good().choices.size(), 3u);
    for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(one->good().choices[c].ids, two->good().choices[c].ids);
        auto single = request;
        single.choices = 1;
        single.options.sampling.seed += c;
        EXPECT_EQ(one->good().choices[c].ids, alone(std::move(single))) << "choice " << c;
    }
    EXPECT_NE(one->good().choices[0].ids, one->good().choices[1].ids);
    EXPECT_EQ(one->good().prompt_tokens, 10);
}

TEST_F(WriteEngineTest, ChoicesSurviveAPreemption) {
    auto several = greedy(text(20, 5), 30), single = greedy(text(30, 6), 60);
    several.choices = 3;
    several.options.tokens_min = 30, single.options.tokens_min = 60;
    several.options.sampling.temperature = 1;
    Desk quiet(golden(), small(64)), tight(golden(), small(11));
    const auto wanted = quiet.ask(several);
    quiet.run();
    const auto older = tight.ask(single);
    const auto heard = tight.ask(several);
    tight.run();
    EXPECT_GT(tight.engine->load().preemptions, 0);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(heard->good().choices[c].ids, wanted->good().choices[c].ids) << c;
    EXPECT_EQ(older->ids(), alone(single));
}

TEST_F(WriteEngineTest, ChancesAreTheModelsOwn) {
    Desk desk(golden(), small(64));
    const auto prompt = text(10, 1);
    auto request = greedy(prompt, 1);
    request.logprobs = 3;
    request.options.sampling.logit_bias = {{5, 1000.0}};  // moves the choice, not the model's opinion
    const auto heard = desk.ask(request);
    desk.run();
    Executor executor(golden().native);
    PackedBatch batch;
    batch.add_row(prompt);
    const auto all = executor.logits(batch).value();
    const auto words = static_cast<std::size_t>(golden().native->spec().vocabulary);
    const auto scores = all.values.last(words);
    double sum = 0;
    for (const float score : scores) sum += std::exp(static_cast<double>(score));
    const auto& token = heard->tokens.front();
    EXPECT_EQ(token.id, 5);
    EXPECT_NEAR(token.logprob, scores[5] - std::log(sum), 1e-4);
    ASSERT_EQ(token.top.size(), 3u);
    EXPECT_EQ(token.top[0].id, std::ranges::max_element(scores) - scores.begin());
    for (const auto& [id, chance] : token.top)
        EXPECT_NEAR(chance, scores[static_cast<std::size_t>(id)] - std::log(sum), 1e-4);
    EXPECT_GE(token.top[0].logprob, token.top[1].logprob);
}

TEST_F(WriteEngineTest, AListenerThatHasEnoughEndsItsText) {
    Desk desk(golden(), small(64));
    int left = 4;
    desk.listen = [&](const WrittenToken&) { return --left > 0; };
    const auto heard = desk.ask(greedy(text(10, 1)));
    desk.run();
    EXPECT_EQ(heard->ids().size(), 4u);
    EXPECT_EQ(heard->good().choices.front().finish, Finish::stop);
}

TEST_F(WriteEngineTest, ATextEndsNeitherBeforeItsLeastNorBehindItsMost) {
    Desk desk(golden(), small(64));
    auto request = greedy(text(10, 1), 9);
    const auto plain = alone(request);
    request.options.stop_ids = {plain[2]};
    auto copy = request;
    const auto stopped = desk.ask(std::move(copy));
    request.options.tokens_min = 7;
    const auto longer = desk.ask(std::move(request));
    desk.run();
    EXPECT_EQ(stopped->ids(), Ids(plain.begin(), std::ranges::find(plain, plain[2])));
    EXPECT_EQ(stopped->good().choices.front().finish, Finish::stop);
    EXPECT_GE(longer->ids().size(), 7u);
    EXPECT_LE(longer->ids().size(), 9u);
    EXPECT_EQ(std::ranges::count(longer->ids(), plain[2]), 0);
}

// Allows only odd ids, and the end behind four of them.
class OddIds : public Constraint {
public:
    explicit OddIds(std::int32_t end) : end_(end) {}

    class State : public ConstraintState {
    public:
        explicit State(std::int32_t end) : end_(end) {}
        void mask(std::span<std::uint64_t> bits) override {
            for (auto& word : bits) word = may_end() ? 0 : 0xaaaaaaaaaaaaaaaaull;
            const auto end = static_cast<std::size_t>(end_);
            bits[end / 64] &= ~(1ull << end % 64);
            if (may_end()) bits[end / 64] |= 1ull << end % 64;
        }
        void accept(std::int32_t) override { ++count_; }
        bool may_end() const override { return count_ >= 4; }
        bool finished() const override { return false; }
        int tokens_to_end() override { return std::max(0, 4 - count_); }
        bool fits(std::int32_t, int left) override { return left >= 3 - count_; }

    private:
        std::int32_t end_;
        int count_ = 0;
    };
    std::unique_ptr<ConstraintState> begin() const override { return std::make_unique<State>(end_); }

private:
    std::int32_t end_;
};

TEST_F(WriteEngineTest, AConstraintIsKept) {
    Desk desk(golden(), small(64));
    auto request = greedy(text(10, 1), 20);
    ASSERT_FALSE(golden().native->spec().end_ids.empty());
    request.constraint = std::make_shared<OddIds>(golden().native->spec().end_ids.front());
    request.choices = 2;
    const auto heard = desk.ask(std::move(request)), free = desk.ask(greedy(text(10, 1), 20));
    desk.run();
    for (const auto& choice : heard->good().choices) {
        EXPECT_EQ(choice.ids.size(), 4u);
        for (const auto id : choice.ids) EXPECT_EQ(id % 2, 1);
        EXPECT_EQ(choice.finish, Finish::stop);
    }
    EXPECT_EQ(free->ids(), alone(greedy(text(10, 1), 20)));
}

TEST_F(WriteEngineTest, TheQueueIsBoundedForAllAndForEach) {
    auto settings = small(64);
    settings.requests_waiting_max = 4;
    Desk desk(golden(), settings);
    const auto reason = [](const HeardPtr& heard) { return heard->answer ? heard->answer->error().reason : ""; };
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "a"))), "");
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "a"))), "");
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "a"))), "tenant_queue_full");
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "b"))), "");
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "c"))), "");
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "d"))), "queue_full");
    desk.run();
    EXPECT_EQ(reason(desk.ask(greedy({5}, 4, "d"))), "");
    desk.engine->stop();
    EXPECT_TRUE(desk.engine->idle());
}

TEST_F(WriteEngineTest, ANewcomerGetsItsShareOfAMachineThatIsFull) {
    auto settings = small(64);
    settings.rows_max = 4;
    Desk desk(golden(), settings);
    for (std::uint64_t n = 0; n < 12; ++n) desk.ask(greedy(text(8, n), 60, "hog"));
    for (int i = 0; i < 5; ++i) desk.engine->step(0);
    const auto newcomer = desk.ask(greedy(text(8, 99), 10, "newcomer"));
    desk.engine->step(0);
    EXPECT_EQ(newcomer->tokens.size(), 1u);  // it did not wait for any text to end
    desk.run();
    EXPECT_EQ(newcomer->ids(), alone(greedy(text(8, 99), 10)));
}

// Eight tenants ask again as soon as they are answered. One of them has fifty requests under way where each of the
// others has one: the others wait no longer than when it has one too, on a clock that counts tokens and steps.
TEST_F(WriteEngineTest, OneAtFiftyTimesItsShareLeavesTheOthersAlone) {
    const auto slowest = [&](int of_hog) {
        auto settings = small(256);
        settings.rows_max = 8;
        Desk desk(golden(), settings);
        std::uint64_t seed = 0;
        std::map<std::string, std::vector<double>> waits;
        int answered = 0;
        std::vector<std::pair<std::string, HeardPtr>> open;
        const auto put = [&](const std::string& tenant) {
            ++seed;
            open.emplace_back(tenant,
                              desk.ask(greedy(text(8 + seed % 24, seed), 8 + static_cast<int>(seed % 9), tenant)));
        };
        for (int t = 1; t < 8; ++t) put("t" + std::to_string(t));
        for (int n = 0; n < of_hog; ++n) put("hog");
        while (answered < 1500) {
            desk.engine->step(0);
            for (std::size_t i = 0; i < open.size();) {
                if (!open[i].second->answer) {
                    ++i;
                    continue;
                }
                const auto [tenant, heard] = open[i];
                open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
                ++answered;
                if (tenant != "hog") waits[tenant].push_back(heard->told - heard->asked);
                put(tenant);
            }
        }
        desk.engine->stop();
        std::vector<double> all;
        for (const auto& [tenant, own] : waits) all.insert(all.end(), own.begin(), own.end());
        std::ranges::sort(all);
        return all[all.size() * 99 / 100];
    };
    const double fair = slowest(1), pressed = slowest(50);
    EXPECT_LE(pressed, 1.1 * fair) << "p99 " << pressed << " against " << fair;
}

}  // namespace
}  // namespace rootstock
