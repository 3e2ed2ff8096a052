#include "autograd/executor/headed_model.h"

#include "autograd/family_goldens.h"
#include "autograd/test_support.h"

namespace rootstock {
namespace {

FamilyGolden must_read(const std::filesystem::path& folder) {
    auto golden = FamilyGolden::read(folder);
    EXPECT_TRUE(golden) << golden.error().message;
    return std::move(*golden);
}

TEST(Families, StatesLogitsLossesAndGradientsEqualTransformers) {
    auto folders = golden_families(golden_folder() / "families");
    ASSERT_GE(folders.size(), 20u);
    for (const auto& folder : folders) {
        auto findings = must_read(folder).check(reference_placement());
        ASSERT_TRUE(findings) << folder << ": " << findings.error().message;
        EXPECT_LT(findings->hidden, 1e-4) << folder;
        EXPECT_LT(findings->logits, 1e-4) << folder;
        EXPECT_LT(findings->loss, 1e-3) << folder;
        EXPECT_LT(findings->gradient, 1e-3) << folder << ": " << findings->parameter;
        EXPECT_EQ(findings->missing, 0) << folder;
    }
}

// The base with W + scale B A in each map that has a pair.
Model merged(const Model& model, const std::map<std::string, LoraPair>& pairs) {
    std::map<std::string, HostTensor> tensors;
    for (const auto& [name, tensor] : model.weights.tensors()) tensors.emplace(name, tensor);
    for (const auto& [module, pair] : pairs) {
        auto& tensor = tensors.at(module + ".weight");
        auto update = torch::matmul(torch::tensor(pair.b).view({pair.out, pair.rank}),
                                    torch::tensor(pair.a).view({pair.rank, pair.in}));
        auto sum = (to_torch(tensor) + pair.scale * update).contiguous();
        tensor = make_tensor({pair.out, pair.in}, {sum.data_ptr<float>(), static_cast<std::size_t>(sum.numel())});
    }
    auto result = model;
    result.weights = Weights(std::move(tensors), {});
    return result;
}

std::map<std::string, LoraPair> pairs_of(const HeadedModel& model) {
    std::map<std::string, LoraPair> pairs;
    for (auto* linear : model.linears()) linear->write_pairs(pairs);
    return pairs;
}

// A graft on every map of every family: the model computes what the merged one does, and by the chain rule
// dA = scale B^T dW and dB = scale dW A^T, with the dW that the goldens above have proven.
TEST(Families, GraftsLearnWhatTheMergedModelWould) {
    for (const auto& folder : golden_families(golden_folder() / "families")) {
        auto golden = must_read(folder);
        const auto& base = golden.model();
        if (base.spec.head.kind == HeadKind::none) continue;
        GraftPlan plan;
        for (const auto& map : linear_maps(base.spec)) plan[map.module] = {3, 0.5f};
        auto grafted = HeadedModel::load(base, reference_placement(), Tuning{plan, false, false});
        ASSERT_TRUE(grafted) << grafted.error().message;
        auto& parameters = (*grafted)->parameters();
        torch::manual_seed(1);
        parameters.values().copy_(torch::randn({parameters.size()}) * 0.1);
        auto pairs = pairs_of(**grafted);
        ASSERT_EQ(pairs.size(), plan.size());
        auto whole = *HeadedModel::load(merged(base, pairs), reference_placement(), Tuning{{}, true, true});
        auto batch = *golden.stage((*grafted)->transformer());
        auto logits = (*grafted)->logits(batch), expected = whole->logits(batch);
        EXPECT_LT(largest_difference(logits, expected), 2e-4) << folder;
        golden.loss(logits, batch).backward();
        golden.loss(expected, batch).backward();
        parameters.values().copy_(parameters.gradients());
        auto total = whole->parameters().gradients().norm().item<double>();
        for (const auto& [module, gradient] : pairs_of(**grafted)) {
            const auto& pair = pairs.at(module);
            auto dw = whole->parameters().at(module + ".weight").grad();
            auto a = torch::tensor(pair.a).view({pair.rank, pair.in}), b = torch::tensor(pair.b).view({pair.out, -1});
            auto da = torch::tensor(gradient.a).view_as(a), db = torch::tensor(gradient.b).view_as(b);
            auto near = [&](const torch::Tensor& got, const torch::Tensor& wanted) {
                return (got - wanted).norm().item<double>() < 1e-3 * wanted.norm().item<double>() + 1e-6 * total;
            };
            EXPECT_TRUE(near(da, pair.scale * torch::matmul(b.t(), dw))) << folder << " " << module;
            EXPECT_TRUE(near(db, pair.scale * torch::matmul(dw, a.t()))) << folder << " " << module;
        }
    }
}

TEST(Families, PickedStatesAreTheSameWithoutTheRest) {
    for (const char* name : {"gpt2_sequence", "llama_sequence", "mistral_window", "llama_dynamic", "vit"}) {
        torch::NoGradGuard no_gradient;
        auto golden = must_read(golden_folder() / "families" / name);
        auto transformer = *Transformer::load(golden.model(), reference_placement(), {});
        auto batch = *golden.stage(*transformer);
        auto expected = transformer->hidden(batch).index_select(0, batch.picked);
        EXPECT_LT(largest_difference(transformer->picked_states(batch), expected), 1e-5) << name;
    }
}

// What a GPU does to rows, on the CPU: groups of rounded lengths, with places that belong to no row.
TEST(RowAttention, LengthsRoundedUpComputeTheSame) {
    std::vector<std::int32_t> offsets{0, 3, 8, 17, 33};
    for (bool causal : {true, false}) {
        AttentionRules rules{4, 2, 6, 0.4, causal, 2};
        auto run = [&](LengthRounding rounding) {
            torch::manual_seed(2);
            std::vector<torch::Tensor> inputs{torch::randn({33, 24}), torch::randn({33, 12}), torch::randn({33, 12})};
            for (auto& input : inputs) input.requires_grad_(true);
            auto rows = group_rows(offsets, offsets, rounding, torch::kCPU);
            auto result = row_attention(inputs[0], inputs[1], inputs[2], rows, rules);
            result.square().sum().backward();
            return torch::cat({result.detach(), inputs[0].grad(), inputs[1].grad(), inputs[2].grad()}, 1);
        };
        EXPECT_LT(largest_difference(run(LengthRounding::up), run(LengthRounding::none)), 1e-5);
    }
}

TEST(Losses, NextTokensStayInTheirRows) {
    std::vector<std::int64_t> labels{1, 2, 3, 4, ignored_label, 6};
    std::vector<std::int32_t> offsets{0, 3, 6};
    EXPECT_EQ(next_token_labels(labels, offsets),
              (std::vector<std::int64_t>{2, 3, ignored_label, ignored_label, 6, ignored_label}));
    auto logits = torch::randn({6, 8});
    auto next = torch::tensor(next_token_labels(labels, offsets), torch::kInt64);
    auto kept = torch::cross_entropy_loss(logits.index_select(0, torch::tensor({0, 1, 4})), torch::tensor({2, 3, 6}));
    EXPECT_LT(largest_difference(label_loss(logits, next), kept), 1e-6);
}

TEST(Losses, ASpanIsOfItsOwnRow) {
    std::vector<std::int32_t> offsets{0, 3, 7};
    std::vector<std::int64_t> begins{1, 0}, ends{2, 9};
    auto logits = torch::randn({7, 2});
    auto wanted = torch::zeros({});
    wanted += torch::cross_entropy_loss(logits.slice(0, 0, 3).select(1, 0).unsqueeze(0), torch::tensor({1})) / 4;
    wanted += torch::cross_entropy_loss(logits.slice(0, 3, 7).select(1, 0).unsqueeze(0), torch::tensor({0})) / 4;
    wanted += torch::cross_entropy_loss(logits.slice(0, 0, 3).select(1, 1).unsqueeze(0), torch::tensor({2})) / 2;
    EXPECT_LT(largest_difference(span_loss(logits, offsets, begins, ends), wanted), 1e-6);
}

TEST(HeadedModel, WhatItCannotDoIsNamed) {
    auto bert = must_load(golden_folder() / "tiny_bert");
    auto headed =
        HeadedModel::load(must_read(golden_folder() / "families" / "gpt2").model(), reference_placement(), {});
    ASSERT_TRUE(headed) << headed.error().message;
    EXPECT_EQ((*headed)->stage_images(std::vector<float>(3)).error().code, ErrorCode::invalid_argument);
    PackedBatch one;
    one.add_row(std::vector<std::int32_t>{5, 6});
    EXPECT_EQ((*headed)->stage(one, one).error().code, ErrorCode::invalid_argument);
    bert.spec.head.kind = HeadKind::none;
    EXPECT_EQ(HeadedModel::load(bert, reference_placement(), {}).error().code, ErrorCode::unsupported);
    bert.spec.pooler = false;
    HeadSpec head;
    head.kind = HeadKind::sequence;
    head.classes = 2;
    EXPECT_EQ(HeadedModel::with_new_head(bert, head, reference_placement(), {}).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace rootstock
