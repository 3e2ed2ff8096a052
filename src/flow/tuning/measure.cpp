#include "flow/tuning/measure.h"

#include <algorithm>
#include <cmath>

#include "flow/classify.h"
#include "infer/infer.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t batch_tokens = 4096, batch_pictures = 16;

}  // namespace

Bench::Bench(std::shared_ptr<const NativeModel> model, Adapter adapter, std::shared_ptr<const NativeAdapter> native)
    : model_(std::move(model)), adapter_(std::move(adapter)), native_(std::move(native)), executor_(model_) {}

Result<Bench> Bench::open(const fs::path& base_folder, const std::string& base_digest, const fs::path& adapter_folder) {
    ROOTSTOCK_TRY(files, load_model(base_folder));
    ROOTSTOCK_TRY(adapter, load_adapter(adapter_folder, files.spec, base_digest));
    ROOTSTOCK_TRY(model, NativeModel::load(files));
    ROOTSTOCK_TRY(native, NativeAdapter::load(*model, adapter));
    Bench bench(std::move(model), std::move(adapter), std::move(native));
    if (files.spec.inputs == Inputs::patches) {
        ROOTSTOCK_TRY(reader, PictureReader::open(base_folder, files.spec.patches.image, files.spec.patches.channels));
        bench.pictures_ = std::move(reader);
    } else {
        ROOTSTOCK_TRY(tokenizer, Tokenizer::load(base_folder));
        bench.tokenizer_ = std::move(tokenizer);
    }
    return bench;
}

Result<std::string> Bench::check() {
    if (adapter_.self_tests.empty())
        return fail(ErrorCode::corrupt, "the adapter carries no self-tests, so nothing proves that it fits this model");
    ROOTSTOCK_CHECKED(pictures_ ? check_self_tests(executor_, *native_, adapter_)
                                : check_self_tests(executor_, *native_, adapter_, *tokenizer_));
    return self_test_sentence(adapter_.self_tests.size(), model_->precision());
}

std::span<float> Bench::place(Answers& answers, std::size_t example) const {
    const auto classes = static_cast<std::size_t>(adapter_.head.classes);
    return std::span(answers.probabilities).subspan(example * classes, classes);
}

Result<void> Bench::classify_texts(std::span<const TextExample> examples, Answers& answers) {
    std::vector<std::vector<std::int32_t>> rows(examples.size());
    std::vector<std::int32_t> lengths;
    int longest = adapter_.max_tokens > 0 ? adapter_.max_tokens : model_->spec().positions_max;
    for (std::size_t i = 0; i < examples.size(); ++i) {
        ROOTSTOCK_TRY(full, tokenizer_->encode_ids(examples[i].text, {.max_tokens = longest}, rows[i]));
        answers.truncated += full > rows[i].size();
        lengths.push_back(static_cast<std::int32_t>(rows[i].size()));
    }
    for (const auto& chosen : plan_by_tokens(lengths, batch_tokens)) {
        std::vector<const NativeAdapter*> adapters(chosen.size(), native_.get());
        ROOTSTOCK_TRY(logits, executor_.classify(pack(rows, chosen), adapters));
        for (std::size_t r = 0; r < chosen.size(); ++r) softmax_into(logits.row(r), place(answers, chosen[r]));
    }
    return {};
}

Result<void> Bench::classify_pictures(std::span<const TextExample> examples, Answers& answers) {
    for (std::size_t first = 0; first < examples.size(); first += batch_pictures) {
        const auto chosen = examples.subspan(first, std::min(batch_pictures, examples.size() - first));
        ImageBatch batch;
        for (const auto& example : chosen) ROOTSTOCK_CHECKED(pictures_->read(example.text, batch.pixels));
        batch.images = static_cast<int>(chosen.size());
        const std::vector<const NativeAdapter*> adapters(chosen.size(), native_.get());
        ROOTSTOCK_TRY(logits, executor_.classify(batch, adapters));
        for (std::size_t r = 0; r < chosen.size(); ++r) softmax_into(logits.row(r), place(answers, first + r));
    }
    return {};
}

Result<Bench::Answers> Bench::classify(std::span<const TextExample> examples) {
    Answers answers;
    answers.probabilities.resize(examples.size() * static_cast<std::size_t>(adapter_.head.classes));
    double began = monotonic_seconds();
    ROOTSTOCK_CHECKED(pictures_ ? classify_pictures(examples, answers) : classify_texts(examples, answers));
    answers.seconds = monotonic_seconds() - began;
    return answers;
}

}  // namespace rootstock
