#include "infer/residency/self_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rootstock {
namespace {

std::string test_number(std::size_t i) { return "self-test " + std::to_string(i + 1); }

Result<std::vector<std::int32_t>> tokens_of(const SelfTest& test, const Adapter& adapter, const Tokenizer& tokenizer,
                                            std::size_t number) {
    std::vector<std::int32_t> ids;
    if (test.text.empty() && !test.words.empty()) return test.ids;
    const bool bare = test.words.empty();  // a language model's text holds its special tokens
    ROOTSTOCK_CHECKED(
        tokenizer.encode_ids(test.text, {.add_special_tokens = bare, .max_tokens = adapter.max_tokens}, ids));
    if (!test.ids.empty() && test.ids != ids)
        return fail(ErrorCode::conflict, test_number(number) +
                                             ": the text gives other tokens here than where the adapter was made; the "
                                             "base model's tokenizer is not the same");
    return ids;
}

Result<void> compare(const SelfTest& test, std::span<const float> found, Precision precision, std::size_t number) {
    if (found.size() != test.logits.size())
        return fail(ErrorCode::corrupt, test_number(number) + ": " + std::to_string(test.logits.size()) +
                                            " logits are recorded, the head gives " + std::to_string(found.size()));
    auto tolerance = self_test_tolerance(precision);
    double largest = 0;
    for (float logit : test.logits) largest = std::max(largest, std::abs(static_cast<double>(logit)));
    double allowed = tolerance.absolute + tolerance.relative * largest;
    for (std::size_t c = 0; c < found.size(); ++c) {
        double off = std::abs(static_cast<double>(found[c]) - static_cast<double>(test.logits[c]));
        if (off <= allowed) continue;
        return fail(ErrorCode::conflict, test_number(number) + ": logit " + std::to_string(c) + " is " +
                                             std::to_string(found[c]) + " here, " + std::to_string(test.logits[c]) +
                                             " was recorded; the adapter does not fit this base model");
    }
    return {};
}

// What a language model says next in each test, one after another: the logits of one token at a time.
Result<void> check_said(Executor& executor, const NativeAdapter& native, const Adapter& adapter,
                        const Tokenizer& tokenizer) {
    int longest = 1;
    for (const auto& test : adapter.self_tests) longest = std::max(longest, test.place);
    ROOTSTOCK_TRY(cache, Cache::make(executor.shared_model(), {longest + 64, 64}));
    const NativeAdapter* const adapters[] = {&native};
    for (std::size_t i = 0; i < adapter.self_tests.size(); ++i) {
        const auto& test = adapter.self_tests[i];
        ROOTSTOCK_TRY(ids, tokens_of(test, adapter, tokenizer, i));
        PackedBatch batch;
        batch.add_row(std::span(ids).first(static_cast<std::size_t>(test.place)));
        const int sequences[] = {cache.open()};
        auto logits = executor.extend(cache, batch, sequences, adapters);
        cache.close(sequences[0]);
        if (!logits) return fail(logits.error());
        std::vector<float> found;
        for (auto word : test.words) found.push_back(logits->row(0)[static_cast<std::size_t>(word)]);
        ROOTSTOCK_CHECKED(compare(test, found, executor.model().precision(), i));
    }
    return {};
}

}  // namespace

std::string self_test_sentence(std::size_t tests, Precision precision) {
    auto tolerance = self_test_tolerance(precision);
    char sentence[160];
    std::snprintf(sentence, sizeof sentence,
                  "%zu self-tests agree with the learner within %g + %g %% of the largest logit", tests,
                  tolerance.absolute, 100 * tolerance.relative);
    return sentence;
}

SelfTestTolerance self_test_tolerance(Precision precision) {
    if (precision == Precision::fp32) return {1e-3, 1e-3};
    return {};
}

Result<void> check_self_tests(Executor& executor, const NativeAdapter& native, const Adapter& adapter) {
    const auto& spec = executor.model().spec();
    for (std::size_t i = 0; i < adapter.self_tests.size(); ++i) {
        const auto& test = adapter.self_tests[i];
        if (test.picture < 0)
            return fail(ErrorCode::corrupt, test_number(i) + " is a text, but the adapter's base model reads pictures");
        const auto* one = &native;
        ROOTSTOCK_TRY(logits, executor.classify(ImageBatch{made_up_picture(spec, test.picture), 1}, {&one, 1}));
        ROOTSTOCK_CHECKED(compare(test, logits.row(0), executor.model().precision(), i));
    }
    return {};
}

Result<void> check_self_tests(Executor& executor, const NativeAdapter& native, const Adapter& adapter,
                              const Tokenizer& tokenizer) {
    if (adapter.self_tests.empty()) return {};
    if (!adapter.self_tests.front().words.empty()) return check_said(executor, native, adapter, tokenizer);
    PackedBatch batch;
    for (std::size_t i = 0; i < adapter.self_tests.size(); ++i) {
        ROOTSTOCK_TRY(ids, tokens_of(adapter.self_tests[i], adapter, tokenizer, i));
        batch.add_row(ids);
    }
    std::vector<const NativeAdapter*> adapters(batch.rows(), &native);
    ROOTSTOCK_TRY(logits, executor.classify(batch, adapters));
    for (std::size_t i = 0; i < batch.rows(); ++i)
        ROOTSTOCK_CHECKED(compare(adapter.self_tests[i], logits.row(i), executor.model().precision(), i));
    return {};
}

}  // namespace rootstock
