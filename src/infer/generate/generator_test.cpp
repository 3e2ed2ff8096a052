// Greedy texts and beam searches against transformers' generate (tests/golden/make_family_golden.py), and the sampler
// by itself.

#include "infer/generate/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "infer/generate/test_golden.h"

namespace rootstock {
namespace {

using Ids = std::vector<std::int32_t>;

class GreedyGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(GreedyGolden, TextsAreThoseOfTransformers) {
    const Golden golden(GetParam());
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    auto generator = Generator::make(golden.native, 2048).value();
    GenerateOptions options;
    options.tokens_max = 24;
    options.sampling.temperature = 0;
    const auto together = generator.generate(golden.prompts, options);
    ASSERT_TRUE(together) << together.error().message;
    for (std::size_t n = 0; n < golden.prompts.size(); ++n) {
        EXPECT_EQ((*together)[n].ids, golden.text("greedy", n)) << "prompt " << n << " in a batch";
        const auto alone = generator.generate(std::span(golden.prompts).subspan(n, 1), options);
        ASSERT_TRUE(alone);
        EXPECT_EQ(alone->front().ids, golden.text("greedy", n)) << "prompt " << n << " alone";
    }
}

TEST_P(GreedyGolden, BeamSearchesAreThoseOfTransformers) {
    const Golden golden(GetParam());
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    if (!golden.file.tensors.contains("beam.0")) GTEST_SKIP() << "no beam search for this family";
    auto generator = Generator::make(golden.native, 2048).value();
    for (std::size_t n = 0; n < golden.prompts.size(); ++n) {
        const auto text = generator.search(golden.prompts[n], {3, 24, 1});
        ASSERT_TRUE(text) << text.error().message;
        EXPECT_EQ(text->ids, golden.text("beam", n)) << "prompt " << n;
    }
}

INSTANTIATE_TEST_SUITE_P(Families, GreedyGolden,
                         ::testing::Values("gpt2", "llama", "llama_biases", "llama_linear", "llama_dynamic",
                                           "llama_yarn", "llama_llama3", "mistral_window", "qwen2", "t5", "t5_gated",
                                           "mt5"),
                         [](const auto& info) { return std::string(info.param); });

// Every id but the even ones, until six are written.
class OddSix : public Constraint {
public:
    class State : public ConstraintState {
    public:
        void mask(std::span<std::uint64_t> bits) override {
            for (auto& word : bits) word = 0xAAAAAAAAAAAAAAAAULL;
        }
        void accept(std::int32_t) override { ++written_; }
        bool may_end() const override { return finished(); }
        bool finished() const override { return written_ == 6; }
        int tokens_to_end() override { return 6 - written_; }
        bool fits(std::int32_t, int) override { return true; }

    private:
        int written_ = 0;
    };
    std::unique_ptr<ConstraintState> begin() const override { return std::make_unique<State>(); }
};

TEST(Generator, KeepsToAConstraint) {
    const Golden golden("llama");
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    auto generator = Generator::make(golden.native, 512).value();
    GenerateOptions options;
    options.tokens_max = 20;
    const OddSix constraint;
    const auto texts = generator.generate(golden.prompts, options, {}, {}, &constraint);
    ASSERT_TRUE(texts) << texts.error().message;
    for (const auto& text : *texts) {
        EXPECT_EQ(text.ids.size(), 6u);
        EXPECT_EQ(text.finish, Finish::stop);
        for (const auto id : text.ids) EXPECT_EQ(id % 2, 1);
    }
}

TEST(Generator, AListenerHearsEveryTokenAndMayStop) {
    const Golden golden("llama");
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    auto generator = Generator::make(golden.native, 512).value();
    GenerateOptions options;
    options.tokens_max = 20;
    options.sampling.temperature = 0;
    std::vector<Ids> heard(golden.prompts.size());
    const auto texts = generator.generate(golden.prompts, options, {}, [&](std::size_t row, std::int32_t id) {
        heard[row].push_back(id);
        return row != 0 || heard[row].size() < 3;
    });
    ASSERT_TRUE(texts);
    for (std::size_t row = 0; row < heard.size(); ++row) EXPECT_EQ((*texts)[row].ids, heard[row]);
    EXPECT_EQ(heard[0].size(), 3u);
    EXPECT_EQ((*texts)[0].finish, Finish::cancelled);
}

TEST(Generator, ARowThatDoesNotFitIsAnsweredAndLeavesNothingBehind) {
    const Golden golden("llama");
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    auto generator = Generator::make(golden.native, 64).value();
    GenerateOptions options;
    const std::vector<Ids> two{Ids(60, 5), Ids(60, 6)}, longer{Ids(97, 5)}, good{Ids(60, 5)};
    EXPECT_EQ(generator.generate(two, options).error().code, ErrorCode::overloaded);
    EXPECT_EQ(generator.generate(longer, options).error().code, ErrorCode::too_long);
    options.tokens_max = 3;
    EXPECT_TRUE(generator.generate(good, options));
    EXPECT_TRUE(generator.generate(good, options));
}

TEST(Sampler, GreedyTakesTheBestAndPenaltiesMoveIt) {
    const std::vector<float> scores{1.0f, 3.0f, 2.5f, -1.0f};
    SamplingOptions options;
    options.temperature = 0;
    EXPECT_EQ(Sampler(options).choose(scores), 1);
    options.presence_penalty = 1;
    Sampler present(options);
    EXPECT_EQ(present.choose(scores), 1);
    EXPECT_EQ(present.choose(scores), 2);
    EXPECT_EQ(present.choose(scores), 1);  // taken once, not each time
    options.presence_penalty = 0, options.frequency_penalty = 0.3;
    Sampler frequent(options);
    EXPECT_EQ(frequent.choose(scores), 1);
    EXPECT_EQ(frequent.choose(scores), 1);
    EXPECT_EQ(frequent.choose(scores), 2);
    options.frequency_penalty = 0, options.repetition_penalty = 2;
    Sampler repeated(options);
    const Ids prompt{1};
    repeated.see(prompt);
    EXPECT_EQ(repeated.choose(scores), 2);
    options.repetition_penalty = 1, options.logit_bias = {{3, 100.0}, {99, 5.0}};
    EXPECT_EQ(Sampler(options).choose(scores), 3);
}

TEST(Sampler, GreedyTakesTheFirstOfTheBestWhereverItStands) {
    const float inf = std::numeric_limits<float>::infinity(), nothing = std::numeric_limits<float>::quiet_NaN();
    SamplingOptions options;
    options.temperature = 0;
    for (const std::size_t size : {1u, 63u, 64u, 65u, 200u})
        for (std::size_t best = 0; best < size; ++best) {
            std::vector<float> scores(size, -2.0f);
            scores[best] = -1.0f;
            scores[size - 1] = std::max(scores[size - 1], -1.0f);
            if (best > 0) scores[best - 1] = best % 2 ? inf : nothing;
            EXPECT_EQ(Sampler(options).choose(scores), static_cast<std::int32_t>(best)) << size;
        }
}

TEST(Sampler, LimitsKeepTheirShareAndTheSeedRepeats) {
    const std::vector<float> scores{std::log(0.5f), std::log(0.25f), std::log(0.15f), std::log(0.1f)};
    const auto shares = [&](SamplingOptions options) {
        options.seed = 11;
        Sampler sampler(options), again(options);
        std::vector<double> counts(scores.size());
        for (int i = 0; i < 20000; ++i) {
            const auto id = sampler.choose(scores);
            EXPECT_EQ(id, again.choose(scores));
            counts[static_cast<std::size_t>(id)] += 1.0 / 20000;
        }
        return counts;
    };
    const auto near = [](const std::vector<double>& counts, const std::vector<double>& wanted) {
        for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(counts[i], wanted[i], 0.015) << i;
    };
    near(shares({}), {0.5, 0.25, 0.15, 0.1});
    SamplingOptions options;
    options.top_k = 2;
    near(shares(options), {2.0 / 3, 1.0 / 3, 0, 0});
    options.top_k = 0, options.top_p = 0.8;
    near(shares(options), {0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0});
    options.top_p = 1, options.min_p = 0.4;
    near(shares(options), {2.0 / 3, 1.0 / 3, 0, 0});
    options.min_p = 0, options.temperature = 0.5;
    const double sum = 0.25 + 0.0625 + 0.0225 + 0.01;
    near(shares(options), {0.25 / sum, 0.0625 / sum, 0.0225 / sum, 0.01 / sum});
}

TEST(Sampler, OptionsOutOfRangeAreNamed) {
    SamplingOptions options;
    options.top_p = 1.5;
    EXPECT_EQ(check(options).error().param, "top_p");
    options.top_p = 1, options.temperature = std::nan("");
    EXPECT_EQ(check(options).error().param, "temperature");
}

}  // namespace
}  // namespace rootstock
