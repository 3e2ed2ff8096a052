#include "autograd/autograd.h"
#include "autograd/kernels/matmul.h"
#include "autograd/test_support.h"

namespace rootstock {
namespace {

// A small adapter with every matrix away from zero, so that each gradient has something to say.
class Classifier : public testing::Test {
protected:
    Model model_ = must_load(golden_folder() / "tiny_bert");
    Safetensors golden_ = *read_safetensors(golden_folder() / "tiny_bert_golden.safetensors");
    PackedBatch batch_ = sequences();
    torch::Tensor labels_ = torch::tensor({0, 1, 2, 3, 4, 0}, torch::kInt64);

    PackedBatch sequences() {
        PackedBatch batch;
        for (int n = 0; n < 6; ++n) batch.add_row(to_ids(golden_.tensors.at("ids." + std::to_string(n))));
        return batch;
    }

    std::unique_ptr<SequenceClassifier> build(const Placement& placement, std::vector<std::string> targets = {}) {
        LoraSettings settings;
        settings.rank = 8;
        settings.alpha = 16;
        settings.targets = std::move(targets);
        auto classifier = SequenceClassifier::create(model_, settings, 5, 7, placement);
        EXPECT_TRUE(classifier) << classifier.error().message;
        auto values = (*classifier)->parameters().values();
        torch::manual_seed(11);
        values.add_(torch::randn({values.numel()}) * 0.05);
        return std::move(*classifier);
    }

    double loss(SequenceClassifier& classifier, const Dropout& dropout = {}) {
        torch::NoGradGuard no_gradient;
        return torch::cross_entropy_loss(classifier.logits(*classifier.stage(batch_), dropout), labels_).item<double>();
    }

    torch::Tensor gradients(SequenceClassifier& classifier, const Dropout& dropout = {}) {
        classifier.parameters().zero_gradients();
        torch::cross_entropy_loss(classifier.logits(*classifier.stage(batch_), dropout), labels_).backward();
        return classifier.parameters().gradients().clone();
    }

    // Every parameter's gradient from the kernels against the same in fp32 from libtorch.
    void expect_same_gradients(const std::vector<std::string>& targets, const Dropout& dropout) {
        auto reference = build(reference_placement(), targets);
        auto kernels = build(choose_placement(model_.spec, true), targets);
        ASSERT_TRUE(kernels->transformer().placement().kernels());
        auto expected = gradients(*reference, dropout), got = gradients(*kernels, dropout);
        for (const auto& entry : reference->parameters().entries()) {
            auto part = [&](const torch::Tensor& all) { return all.narrow(0, entry.offset, entry.shape.elements()); };
            EXPECT_LT(relative_difference(part(got), part(expected)), 0.06) << entry.shape.name;
        }
        EXPECT_LT(relative_difference(got, expected), 0.03);
    }
};

TEST_F(Classifier, LogitsEqualTransformers) {
    // The head of the golden model, grafted on a base without low-rank updates of any size (B is zero).
    auto file = *read_safetensors(golden_folder() / "tiny_bert" / "model.safetensors");
    LoraSettings settings;
    auto classifier = *SequenceClassifier::create(model_, settings, 5, 7, reference_placement());
    torch::NoGradGuard no_gradient;
    classifier->parameters().at("head.weight").copy_(to_torch(file.tensors.at("classifier.weight")));
    classifier->parameters().at("head.bias").copy_(to_torch(file.tensors.at("classifier.bias")));
    auto logits = classifier->logits(*classifier->stage(batch_));
    EXPECT_LT(largest_difference(logits, to_torch(golden_.tensors.at("logits"))), 1e-4);
}

// Adapters that the peft library wrote: plain, and rsLoRA with ranks and scales that differ from map to map.
TEST_F(Classifier, LogitsOfForeignAdaptersEqualPeft) {
    for (const char* name : {"peft_query_value", "peft_rslora_all"}) {
        auto folder = golden_folder() / name;
        if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no golden adapters at " << folder;
        auto adapter = load_adapter(folder, model_.spec);
        ASSERT_TRUE(adapter) << adapter.error().message;
        auto golden = *parse_json(*read_file(folder / "logits.json"), "logits.json");
        PackedBatch batch;
        std::vector<float> values;
        for (const auto& ids : golden.at("sequences").as_array())
            batch.add_row(json::value_to<std::vector<std::int32_t>>(ids));
        for (const auto& line : golden.at("logits").as_array())
            for (auto value : json::value_to<std::vector<float>>(line)) values.push_back(value);
        auto expected = torch::tensor(values).view({static_cast<std::int64_t>(batch.rows()), -1});
        torch::NoGradGuard no_gradient;
        auto exact = *SequenceClassifier::restore(model_, *adapter, reference_placement());
        EXPECT_LT(largest_difference(exact->logits(*exact->stage(batch)), expected), 1e-4) << name;
        auto fast = *SequenceClassifier::restore(model_, *adapter, choose_placement(model_.spec, true));
        EXPECT_LT(relative_difference(fast->logits(*fast->stage(batch)), expected), 0.05) << name;
    }
}

// Classifiers of other families on bases that have none: all of the head is the adapter's, a dense map too.
TEST(ClassifierHeads, LogitsOfForeignAdaptersEqualPeftAndComeBack) {
    for (const char* name : {"peft_roberta", "peft_distilbert", "peft_t5", "peft_llama"}) {
        auto folder = golden_folder() / name;
        if (!std::filesystem::exists(folder / "logits.json")) GTEST_SKIP() << "no golden adapters at " << folder;
        auto golden = *parse_json(*read_file(folder / "logits.json"), "logits.json");
        auto model = *load_model(golden_folder() / golden.at("base").as_string().c_str());
        auto adapter = load_adapter(folder, model.spec);
        ASSERT_TRUE(adapter) << adapter.error().message;
        auto classifier = *SequenceClassifier::restore(model, *adapter, reference_placement());
        torch::NoGradGuard no_gradient;
        std::size_t row = 0;
        for (const auto& ids : golden.at("sequences").as_array()) {
            PackedBatch batch;
            batch.add_row(json::value_to<std::vector<std::int32_t>>(ids));
            auto expected = torch::tensor(json::value_to<std::vector<float>>(golden.at("logits").at(row++)));
            auto logits = classifier->logits(*classifier->stage(batch)).view({-1});
            EXPECT_LT(largest_difference(logits, expected), 1e-4) << name << ", row " << row;
        }
        auto again = classifier->to_adapter(adapter->settings);
        EXPECT_EQ(again.head.weight, adapter->head.weight) << name;
        EXPECT_EQ(again.head.dense_weight, adapter->head.dense_weight) << name;
        EXPECT_EQ(again.head.dense_bias, adapter->head.dense_bias) << name;
    }
}

TEST_F(Classifier, GradientsEqualFiniteDifferences) {
    auto classifier = build(reference_placement());
    auto gradient = gradients(*classifier);
    auto values = classifier->parameters().values();
    // Along the gradient and along random directions, the loss must change as the gradient says.
    torch::manual_seed(3);
    std::vector<torch::Tensor> directions{gradient / gradient.norm()};
    for (const auto& entry : classifier->parameters().entries()) {
        auto direction = torch::zeros_like(gradient);
        direction.narrow(0, entry.offset, entry.shape.elements())
            .copy_(gradient.narrow(0, entry.offset, entry.shape.elements()));
        directions.push_back(direction / direction.norm());
    }
    for (const auto& direction : directions) {
        constexpr double step = 1e-2;
        auto before = values.clone();
        values.copy_(before + step * direction);
        double up = loss(*classifier);
        values.copy_(before - step * direction);
        double down = loss(*classifier);
        values.copy_(before);
        double expected = (gradient * direction).sum().item<double>();
        EXPECT_NEAR((up - down) / (2 * step), expected, std::max(1e-3 * std::abs(expected), 2e-5));
    }
}

TEST_F(Classifier, KernelGradientsEqualLibtorch) {
    if (!bf16_products_available()) GTEST_SKIP() << "this CPU has no bfloat16 products";
    expect_same_gradients({}, {});
}

TEST_F(Classifier, KernelGradientsEqualLibtorchForSomeTargets) {
    if (!bf16_products_available()) GTEST_SKIP() << "this CPU has no bfloat16 products";
    expect_same_gradients({"query", "value"}, {});
    expect_same_gradients({"output", "pooler"}, {});
    expect_same_gradients({"key", "inner"}, {});
}

TEST_F(Classifier, DropoutDrawsTheSameMasksOnBothRoutes) {
    if (!bf16_products_available()) GTEST_SKIP() << "this CPU has no bfloat16 products";
    // Rows of the kernel route may be rounded up in number; the masks of the real tokens are the same.
    expect_same_gradients({}, Dropout{0.2, 5, 17});
}

TEST_F(Classifier, DropoutDependsOnSeedAndStepAlone) {
    auto classifier = build(reference_placement());
    EXPECT_EQ(loss(*classifier, {0.3, 5, 1}), loss(*classifier, {0.3, 5, 1}));
    EXPECT_NE(loss(*classifier, {0.3, 5, 1}), loss(*classifier, {0.3, 5, 2}));
    EXPECT_NE(loss(*classifier, {0.3, 5, 1}), loss(*classifier, {0.3, 6, 1}));
}

TEST_F(Classifier, GradientsRepeatBitForBit) {
    auto classifier = build(choose_placement(model_.spec, true));
    EXPECT_TRUE(torch::equal(gradients(*classifier), gradients(*classifier)));
}

TEST_F(Classifier, AnAdapterComesBackAsItWas) {
    auto classifier = build(reference_placement());
    LoraSettings settings;
    settings.rank = 8;
    settings.alpha = 16;
    auto again = SequenceClassifier::restore(model_, classifier->to_adapter(settings), reference_placement());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(torch::equal(classifier->parameters().values(), (*again)->parameters().values()));
    EXPECT_EQ(loss(*classifier), loss(**again));
}

TEST_F(Classifier, AnUnknownTargetIsNamed) {
    LoraSettings settings;
    settings.targets = {"querry"};
    auto classifier = SequenceClassifier::create(model_, settings, 5, 7, reference_placement());
    ASSERT_FALSE(classifier);
    EXPECT_EQ(classifier.error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace rootstock
