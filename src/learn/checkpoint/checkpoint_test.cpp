#include "learn/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>

namespace rootstock {
namespace {

class CheckpointTest : public testing::Test {
protected:
    std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "checkpoint_test";
    Checkpoint checkpoint_{{.job_digest = "abc",
                            .step = 17,
                            .epoch = 2,
                            .batch = 3,
                            .has_best = true,
                            .best = {0.1, 1.0 / 3},
                            .best_epoch = 1,
                            .without_better = 1,
                            .lesson = {0.7, 1.0 / 7, 96, 801},
                            .examples = 544,
                            .trained_tokens = 4711,
                            .train_seconds = 0.1},
                           torch::randn({50}),
                           torch::randn({50}),
                           torch::rand({50}),
                           torch::randn({50})};

    void SetUp() override {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
};

TEST_F(CheckpointTest, EveryBitComesBack) {
    ASSERT_TRUE(write_checkpoint(folder_, checkpoint_));
    auto again = read_checkpoint(folder_, "abc", 50);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_TRUE(*again);
    const auto& saved = **again;
    EXPECT_TRUE(torch::equal(saved.values, checkpoint_.values));
    EXPECT_TRUE(torch::equal(saved.first_moment, checkpoint_.first_moment));
    EXPECT_TRUE(torch::equal(saved.second_moment, checkpoint_.second_moment));
    EXPECT_TRUE(torch::equal(saved.best_values, checkpoint_.best_values));
    EXPECT_EQ(saved.progress.step, 17);
    EXPECT_EQ(saved.progress.batch, 3);
    EXPECT_EQ(saved.progress.best.quality, 1.0 / 3);
    EXPECT_EQ(saved.progress.best.loss, 0.1);
    EXPECT_EQ(saved.progress.lesson.loss, 0.7);
    EXPECT_EQ(saved.progress.lesson.quality, 1.0 / 7);
    EXPECT_EQ(saved.progress.lesson.weight, 96);
    EXPECT_EQ(saved.progress.lesson.tokens, 801);
    EXPECT_EQ(saved.progress.trained_tokens, 4711);
}

TEST_F(CheckpointTest, NoneIsNotAnError) {
    auto none = read_checkpoint(folder_, "abc", 50);
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
}

TEST_F(CheckpointTest, AnotherJobsIsRefused) {
    ASSERT_TRUE(write_checkpoint(folder_, checkpoint_));
    EXPECT_EQ(read_checkpoint(folder_, "other", 50).error().code, ErrorCode::conflict);
    EXPECT_EQ(read_checkpoint(folder_, "abc", 51).error().code, ErrorCode::corrupt);
}

TEST_F(CheckpointTest, ATruncatedFileIsRefused) {
    ASSERT_TRUE(write_checkpoint(folder_, checkpoint_));
    auto file = folder_ / "checkpoint" / "state.safetensors";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    auto read = read_checkpoint(folder_, "abc", 50);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_NE(read.error().message.find("start over"), std::string::npos);
}

}  // namespace
}  // namespace rootstock
