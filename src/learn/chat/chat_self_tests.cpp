#include "learn/chat/chat_self_tests.h"

#include <algorithm>

#include "autograd/autograd.h"

namespace rootstock {

namespace {

constexpr std::size_t self_tests_max = 8;
constexpr std::int64_t words_max = 16;        // of the vocabulary, for each test
constexpr std::size_t tokens_max = 512;       // before the word that is asked for
constexpr std::size_t text_bytes_max = 4096;  // a longer text is left out; its tokens remain

// Up to the first learned word, which is what is asked for. The text stays where it still gives these tokens.
SelfTest question_of(const TokenRow& row) {
    SelfTest test;
    auto first = std::ranges::find_if(row.weights, [](float weight) { return weight > 0; }) - row.weights.begin();
    auto begin = std::max<std::ptrdiff_t>(0, first - static_cast<std::ptrdiff_t>(tokens_max));
    bool whole = begin == 0 && row.ids.size() <= tokens_max && row.text.size() <= text_bytes_max;
    if (whole) test.text = row.text;
    test.ids.assign(row.ids.begin() + begin, whole ? row.ids.end() : row.ids.begin() + first);
    test.place = static_cast<std::int32_t>(first - begin);
    return test;
}

Result<void> answer(LanguageModel& reference, SelfTest& test) {
    PackedBatch batch;
    batch.add_row(std::span(test.ids).first(static_cast<std::size_t>(test.place)));
    ROOTSTOCK_TRY(staged, reference.stage(batch));
    auto logits = reference.logits(staged, torch::tensor({std::int64_t{test.place} - 1}, torch::kInt64))[0];
    auto [values, words] = logits.topk(std::min(words_max, logits.numel()));
    for (std::int64_t i = 0; i < values.numel(); ++i) {
        test.words.push_back(static_cast<std::int32_t>(words[i].item<std::int64_t>()));
        test.logits.push_back(values[i].item<float>());
    }
    return {};
}

}  // namespace

Result<std::vector<SelfTest>> answer_chat_self_tests(const Model& model, const Adapter& adapter,
                                                     const std::vector<TokenRow>& rows,
                                                     const std::vector<std::size_t>& from) {
    ROOTSTOCK_TRY(reference, LanguageModel::restore(model, adapter, reference_placement()));
    torch::NoGradGuard no_gradient;
    std::vector<SelfTest> tests;
    auto count = std::min(from.size(), self_tests_max);
    for (std::size_t i = 0; i < count; ++i) {
        tests.push_back(question_of(rows[from[i * from.size() / count]]));
        ROOTSTOCK_CHECKED(answer(*reference, tests.back()));
    }
    return tests;
}

}  // namespace rootstock
