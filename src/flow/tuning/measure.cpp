#include "flow/tuning/measure.h"

#include <algorithm>
#include <cmath>

#include "infer/infer.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t batch_tokens = 4096;

void softmax_into(std::span<const float> logits, std::span<float> probabilities) {
    float largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (std::size_t c = 0; c < logits.size(); ++c) sum += probabilities[c] = std::exp(logits[c] - largest);
    for (auto& value : probabilities) value = static_cast<float>(value / sum);
}

}  // namespace

Bench::Bench(std::shared_ptr<const NativeModel> model, Tokenizer tokenizer, Adapter adapter,
             std::shared_ptr<const NativeAdapter> native)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      adapter_(std::move(adapter)),
      native_(std::move(native)),
      executor_(model_) {}

Result<Bench> Bench::open(const fs::path& base_folder, const std::string& base_digest, const fs::path& adapter_folder) {
    ROOTSTOCK_TRY(files, load_model(base_folder));
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(base_folder));
    ROOTSTOCK_TRY(adapter, load_adapter(adapter_folder, files.spec, base_digest));
    ROOTSTOCK_TRY(model, NativeModel::load(files));
    ROOTSTOCK_TRY(native, NativeAdapter::load(*model, adapter));
    return Bench(std::move(model), std::move(tokenizer), std::move(adapter), std::move(native));
}

Result<std::string> Bench::check() {
    if (adapter_.self_tests.empty())
        return fail(ErrorCode::corrupt, "the adapter carries no self-tests, so nothing proves that it fits this model");
    ROOTSTOCK_CHECKED(check_self_tests(executor_, *native_, adapter_, tokenizer_));
    return self_test_sentence(adapter_.self_tests.size(), model_->precision());
}

Result<Bench::Answers> Bench::classify(std::span<const TextExample> examples) {
    const auto classes = static_cast<std::size_t>(adapter_.head.classes);
    std::vector<std::vector<std::int32_t>> rows(examples.size());
    std::vector<std::int32_t> lengths;
    Answers answers;
    answers.probabilities.resize(examples.size() * classes);
    double began = monotonic_seconds();
    int longest = adapter_.max_tokens > 0 ? adapter_.max_tokens : model_->spec().positions_max;
    for (std::size_t i = 0; i < examples.size(); ++i) {
        ROOTSTOCK_TRY(full, tokenizer_.encode_ids(examples[i].text, {.max_tokens = longest}, rows[i]));
        answers.truncated += full > rows[i].size();
        lengths.push_back(static_cast<std::int32_t>(rows[i].size()));
    }
    for (const auto& chosen : plan_by_tokens(lengths, batch_tokens)) {
        std::vector<const NativeAdapter*> adapters(chosen.size(), native_.get());
        ROOTSTOCK_TRY(logits, executor_.classify(pack(rows, chosen), adapters));
        for (std::size_t r = 0; r < chosen.size(); ++r)
            softmax_into(logits.row(r), std::span(answers.probabilities).subspan(chosen[r] * classes, classes));
    }
    answers.seconds = monotonic_seconds() - began;
    return answers;
}

}  // namespace rootstock
