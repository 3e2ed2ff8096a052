#include "flow/tuning/auto_settings.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

TEST(AutoSettings, FewRowsAreSeenMoreOften) {
    EXPECT_EQ(auto_epochs(10), 10);
    EXPECT_EQ(auto_epochs(600), 10);
    EXPECT_EQ(auto_epochs(1000), 6);
    EXPECT_EQ(auto_epochs(2000), 3);
    EXPECT_EQ(auto_epochs(6000), 1);
    EXPECT_EQ(auto_epochs(1'000'000), 1);
    EXPECT_EQ(auto_epochs(0), 10);
}

TEST(AutoSettings, AnEpochHasAHundredStepsAsSoonAsItCan) {
    EXPECT_EQ(auto_batch_examples(10), 1);
    EXPECT_EQ(auto_batch_examples(400), 4);
    EXPECT_EQ(auto_batch_examples(3200), 32);
    EXPECT_EQ(auto_batch_examples(1'000'000), 32);
}

TEST(AutoSettings, TheRateFollowsBatchAndWidth) {
    EXPECT_DOUBLE_EQ(auto_learning_rate(32, 576), 1e-3);
    EXPECT_DOUBLE_EQ(auto_learning_rate(8, 576), 5e-4);
    EXPECT_DOUBLE_EQ(auto_learning_rate(32, 4096), 2.5e-4);
}

TEST(AutoSettings, OnlyWhatWasLeftOpenIsFilledIn) {
    auto given = usual_train_settings("chat");
    given.epochs = 7;
    given.batch_examples = 3;
    given.learning_rate = 0.5;
    given.max_tokens = 99;
    auto kept = settle(given, {}, 400, 576, 8192);
    EXPECT_EQ(kept.epochs, 7);
    EXPECT_EQ(kept.batch_examples, 3);
    EXPECT_EQ(kept.learning_rate, 0.5);
    EXPECT_EQ(kept.max_tokens, 99);
    AutoSettings all{true, true, true, 2, true};
    auto settled = settle(given, all, 400, 576, 512);
    EXPECT_EQ(settled.epochs, 10);
    EXPECT_EQ(settled.batch_examples, 4);
    EXPECT_DOUBLE_EQ(settled.learning_rate, 2 * auto_learning_rate(4, 576));
    EXPECT_EQ(settled.max_tokens, 512);
    EXPECT_EQ(settled.label_smoothing, 0);
}

}  // namespace
}  // namespace rootstock
