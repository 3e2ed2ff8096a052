#include "learn/optim/adamw.h"

#include <gtest/gtest.h>

#include "learn/optim/schedule.h"

namespace rootstock {
namespace {

Parameters small_parameters() {
    Parameters parameters({{"x.a", {3, 4}, ParameterKind::low_rank},
                           {"x.b", {8}, ParameterKind::low_rank},
                           {"head.weight", {2, 4}, ParameterKind::head_weight},
                           {"head.bias", {2}, ParameterKind::head_bias}},
                          torch::kCPU);
    torch::manual_seed(1);
    parameters.values().copy_(torch::randn({parameters.size()}));
    return parameters;
}

TEST(AdamW, TakesTheStepsOfLibtorchsOwn) {
    auto parameters = small_parameters();
    AdamW ours(parameters, {.weight_decay = 0.1});
    auto decayed = parameters.values().narrow(0, 0, 28).clone(), bias = parameters.values().narrow(0, 28, 2).clone();
    torch::optim::AdamW reference(
        {torch::optim::OptimizerParamGroup({decayed}), torch::optim::OptimizerParamGroup({bias})},
        torch::optim::AdamWOptions(0.01).weight_decay(0.1));
    static_cast<torch::optim::AdamWOptions&>(reference.param_groups()[1].options()).weight_decay(0);
    for (int step = 0; step < 20; ++step) {
        auto gradient = torch::randn({30});
        parameters.gradients().copy_(gradient);
        decayed.mutable_grad() = gradient.narrow(0, 0, 28).clone();
        bias.mutable_grad() = gradient.narrow(0, 28, 2).clone();
        ours.step({0.01, 0.01});
        reference.step();
    }
    EXPECT_TRUE(torch::allclose(parameters.values(), torch::cat({decayed, bias}), 1e-5, 1e-6));
}

TEST(AdamW, TheHeadHasARateOfItsOwn) {
    auto parameters = small_parameters();
    auto before = parameters.values().clone();
    AdamW optimiser(parameters, {});
    parameters.gradients().fill_(1);
    optimiser.step({0, 0.01});
    EXPECT_TRUE(torch::equal(parameters.values().narrow(0, 0, 20), before.narrow(0, 0, 20)));
    EXPECT_FALSE(torch::equal(parameters.values().narrow(0, 20, 10), before.narrow(0, 20, 10)));
}

TEST(AdamW, ScalesAndClearsTheGradients) {
    auto scaled = small_parameters(), plain = small_parameters();
    AdamW one(scaled, {}), other(plain, {});
    scaled.gradients().fill_(4);
    plain.gradients().fill_(1);
    one.step({0.01, 0.01}, 0.25);
    other.step({0.01, 0.01});
    EXPECT_TRUE(torch::equal(scaled.values(), plain.values()));
    EXPECT_EQ(gradient_norm(scaled), 0);
}

TEST(ClipScale, LeavesSmallNormsAndShrinksLargeOnes) {
    auto parameters = small_parameters();
    parameters.gradients().fill_(2);
    auto norm = gradient_norm(parameters);
    EXPECT_NEAR(norm, 2 * std::sqrt(30.0), 1e-4);
    EXPECT_EQ(clip_scale(norm, 100), 1);
    EXPECT_EQ(clip_scale(norm, 0), 1);
    EXPECT_NEAR(norm * clip_scale(norm, 1), 1, 1e-5);
}

TEST(LinearSchedule, RisesThenFallsToZero) {
    EXPECT_DOUBLE_EQ(linear_schedule(0, 100, 0.1), 0.1);
    EXPECT_DOUBLE_EQ(linear_schedule(9, 100, 0.1), 1);
    EXPECT_DOUBLE_EQ(linear_schedule(10, 100, 0.1), 1);
    EXPECT_DOUBLE_EQ(linear_schedule(55, 100, 0.1), 0.5);
    EXPECT_DOUBLE_EQ(linear_schedule(100, 100, 0.1), 0);
    EXPECT_DOUBLE_EQ(linear_schedule(0, 10, 0), 1);
}

}  // namespace
}  // namespace rootstock
