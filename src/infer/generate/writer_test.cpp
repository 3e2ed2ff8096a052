// The writer against transformers' greedy texts: alone, in company, cut into pieces, preempted, and read again.

#include "infer/generate/writer.h"

#include <gtest/gtest.h>

#include <future>

#include "infer/generate/test_golden.h"

namespace rootstock {
namespace {

using Ids = std::vector<std::int32_t>;

struct Heard {
    Result<WriteAnswer> answer = WriteAnswer{};
    std::vector<WrittenToken> tokens;
};

std::future<Heard> ask(Writer& writer, WriteRequest request, WriteTicket* ticket = nullptr) {
    auto promise = std::make_shared<std::promise<Heard>>();
    auto heard = std::make_shared<Heard>();
    auto future = promise->get_future();
    const auto given = writer.submit(
        std::move(request),
        [heard](const WrittenToken& token) {
            heard->tokens.push_back(token);
            return true;
        },
        [heard, promise](Result<WriteAnswer> answer) {
            heard->answer = std::move(answer);
            promise->set_value(std::move(*heard));
        });
    if (ticket) *ticket = given;
    return future;
}

WriteRequest greedy(const Ids& prompt, int tokens = 24, const char* tenant = "t") {
    WriteRequest request;
    request.tenant = TenantId(tenant);
    request.prompt = prompt;
    request.options.tokens_max = tokens;
    request.options.sampling.temperature = 0;
    return request;
}

std::unique_ptr<Writer> writer_of(const Golden& golden, WriterSettings settings = {}) {
    return Writer::make(golden.native, std::move(settings)).value();
}

class GreedyWriter : public ::testing::TestWithParam<const char*> {};

TEST_P(GreedyWriter, TextsAreThoseOfTransformersAloneAndInCompany) {
    const Golden golden(GetParam());
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    for (const bool pieces : {false, true}) {
        WriterSettings settings;
        if (pieces) settings.step_tokens_max = 7, settings.chunk_tokens_max = 3;
        auto writer = writer_of(golden, settings);
        std::vector<std::future<Heard>> together;
        for (int round = 0; round < 3; ++round)
            for (const auto& prompt : golden.prompts) together.push_back(ask(*writer, greedy(prompt)));
        for (std::size_t n = 0; n < together.size(); ++n) {
            const auto heard = together[n].get();
            ASSERT_TRUE(heard.answer) << heard.answer.error().message;
            const auto& answer = *heard.answer;
            const auto which = n % golden.prompts.size();
            EXPECT_EQ(answer.choices.front().ids, golden.text("greedy", which)) << "prompt " << which;
            EXPECT_EQ(answer.prompt_tokens, static_cast<std::int64_t>(golden.prompts[which].size()));
            EXPECT_EQ(answer.completion_tokens, static_cast<std::int64_t>(heard.tokens.size()));
            Ids told;
            for (const auto& token : heard.tokens) told.push_back(token.id);
            EXPECT_EQ(told, answer.choices.front().ids);
        }
        for (std::size_t n = 0; n < golden.prompts.size(); ++n)
            EXPECT_EQ(ask(*writer, greedy(golden.prompts[n])).get().answer->choices.front().ids,
                      golden.text("greedy", n))
                << "prompt " << n << " alone";
    }
}

INSTANTIATE_TEST_SUITE_P(Families, GreedyWriter,
                         ::testing::Values("gpt2", "llama", "llama_biases", "llama_linear", "llama_dynamic",
                                           "llama_yarn", "llama_llama3", "mistral_window", "qwen2", "t5", "t5_gated",
                                           "mt5"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Writer, RefusesWhatWouldSpoilAStep) {
    const Golden golden("llama");
    if (!golden.native) GTEST_SKIP() << "run tests/golden/make_family_golden.py";
    auto writer = writer_of(golden);
    const auto error = [&](WriteRequest request) { return ask(*writer, std::move(request)).get().answer.error(); };
    EXPECT_EQ(error(greedy({})).code, ErrorCode::invalid_argument);
    EXPECT_EQ(error(greedy({1, -1})).code, ErrorCode::invalid_argument);
    EXPECT_EQ(error(greedy({1, golden.native->spec().vocabulary})).code, ErrorCode::invalid_argument);
    const auto longer = error(greedy(Ids(static_cast<std::size_t>(writer->prompt_tokens_max()) + 7, 5)));
    EXPECT_EQ(longer.code, ErrorCode::too_long);
    EXPECT_NE(longer.message.find(" 7 more"), std::string::npos) << longer.message;
    auto many = greedy({1});
    many.choices = 65;
    EXPECT_EQ(error(std::move(many)).param, "choices");
    auto wide = greedy({1});
    wide.logprobs = 21;
    EXPECT_EQ(error(std::move(wide)).param, "logprobs");
    auto late = greedy({1});
    late.deadline = monotonic_seconds() - 1;
    EXPECT_EQ(error(std::move(late)).reason, "queue_timeout");
}

}  // namespace
}  // namespace rootstock
