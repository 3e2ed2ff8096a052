#include "autograd/autograd.h"
#include "autograd/kernels/matmul.h"
#include "autograd/test_support.h"

namespace rootstock {
namespace {

std::unique_ptr<Transformer> must_build(const Model& model, const Placement& placement) {
    auto encoder = Transformer::load(model, placement, {});
    EXPECT_TRUE(encoder) << encoder.error().message;
    return std::move(*encoder);
}

StagedBatch must_stage(const Transformer& encoder, const PackedBatch& batch) {
    auto staged = encoder.stage(batch);
    EXPECT_TRUE(staged) << staged.error().message;
    return *staged;
}

// All golden sequences `ids.<n>` of a file as one batch.
PackedBatch golden_batch(const Safetensors& golden, const std::vector<std::string>& names) {
    PackedBatch batch;
    for (const auto& name : names) batch.add_row(to_ids(golden.tensors.at(name)));
    return batch;
}

class TinyBert : public testing::Test {
protected:
    Model model_ = must_load(golden_folder() / "tiny_bert");
    Safetensors golden_ = *read_safetensors(golden_folder() / "tiny_bert_golden.safetensors");
    PackedBatch batch_ = golden_batch(golden_, {"ids.0", "ids.1", "ids.2", "ids.3", "ids.4", "ids.5"});

    // The largest difference to transformers' states after `depth` layers.
    double difference(Transformer& encoder, const StagedBatch& staged, int depth) {
        torch::NoGradGuard no_gradient;
        auto states = encoder.hidden_at(staged, depth).to(torch::kFloat32);
        double most = 0;
        for (int n = 0; n < 6; ++n) {
            auto expected = to_torch(golden_.tensors.at("hidden." + std::to_string(n) + "." + std::to_string(depth)));
            auto row = states.narrow(0, staged.offsets[static_cast<std::size_t>(n)], expected.size(0));
            most = std::max(most, largest_difference(row, expected));
        }
        return most;
    }
};

TEST_F(TinyBert, StatesAfterEveryLayerEqualTransformers) {
    auto encoder = must_build(model_, reference_placement());
    auto staged = must_stage(*encoder, batch_);
    for (int depth = 0; depth <= model_.spec.layers; ++depth) EXPECT_LT(difference(*encoder, staged, depth), 1e-4);
}

TEST_F(TinyBert, KernelsStayWithinBfloat16OfTransformers) {
    if (!bf16_products_available()) GTEST_SKIP() << "this CPU has no bfloat16 products";
    auto encoder = must_build(model_, choose_placement(model_.spec, true));
    ASSERT_TRUE(encoder->placement().kernels());
    auto staged = must_stage(*encoder, batch_);
    for (int depth = 0; depth <= model_.spec.layers; ++depth) EXPECT_LT(difference(*encoder, staged, depth), 0.08);
}

TEST_F(TinyBert, PickedStatesAreTheFirstOfAllStates) {
    torch::NoGradGuard no_gradient;
    auto encoder = must_build(model_, reference_placement());
    auto staged = must_stage(*encoder, batch_);
    auto expected = encoder->hidden(staged).index_select(0, staged.picked);
    EXPECT_LT(largest_difference(encoder->picked_states(staged), expected), 1e-5);
}

TEST_F(TinyBert, BadBatchesAreNamed) {
    auto encoder = must_build(model_, reference_placement());
    PackedBatch outside, longer;
    outside.add_row(std::vector<std::int32_t>{2, 200, 3});
    longer.add_row(std::vector<std::int32_t>(65, 5));
    EXPECT_EQ(encoder->stage({}).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(encoder->stage(outside).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(encoder->stage(longer).error().code, ErrorCode::too_long);
}

TEST(RealModel, StatesAndEmbeddingsEqualTransformersOn64Sentences) {
    if (!std::filesystem::exists(test_model_folder() / "config.json"))
        GTEST_SKIP() << "no model at " << test_model_folder() << ": set ROOTSTOCK_TEST_MODEL";
    torch::NoGradGuard no_gradient;
    auto golden = *read_safetensors(golden_folder() / "bert_hidden.safetensors");
    auto encoder = must_build(must_load(test_model_folder()), reference_placement());
    std::vector<std::string> names;
    for (const auto& [name, tensor] : golden.tensors)
        if (name.starts_with("ids.")) names.push_back(name);
    ASSERT_EQ(names.size(), 64u);
    auto staged = must_stage(*encoder, golden_batch(golden, names));
    auto states = encoder->hidden(staged);
    for (std::size_t n = 0; n < names.size(); ++n) {
        auto number = names[n].substr(4);
        auto row = states.slice(0, staged.offsets[n], staged.offsets[n + 1]);
        auto all = golden.tensors.find("hidden." + number);
        if (all != golden.tensors.end()) {
            EXPECT_LT(largest_difference(row, to_torch(all->second)), 1e-4) << number;
        } else {
            auto ends = torch::stack({row[0], row[row.size(0) - 1]});
            EXPECT_LT(largest_difference(ends, to_torch(golden.tensors.at("ends." + number))), 1e-4) << number;
        }
    }
    EXPECT_LT(largest_difference(encoder->embeddings(staged), to_torch(golden.tensors.at("embedding"))), 1e-4);
}

}  // namespace
}  // namespace rootstock
