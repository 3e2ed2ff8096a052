#include "base/base.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace rootstock {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("rootstock-base-" + secret_base62(8));
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    fs::path folder_;
};

TEST_F(Files, WriteAtomicallyReplacesAndLeavesNothingElse) {
    ASSERT_TRUE(write_file_atomically(folder_ / "a", "one"));
    ASSERT_TRUE(write_file_atomically(folder_ / "a", "two"));
    EXPECT_EQ(*read_file(folder_ / "a"), "two");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}), 1);
}

TEST_F(Files, ReadBoundsMemoryAndNamesTheFile) {
    ASSERT_TRUE(write_file_atomically(folder_ / "a", std::string(1000, 'x')));
    EXPECT_EQ(read_file(folder_ / "a", 999).error().code, ErrorCode::too_large);
    auto missing = read_file(folder_ / "none");
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    EXPECT_NE(missing.error().message.find("none"), std::string::npos);
    EXPECT_EQ(read_file(folder_).error().code, ErrorCode::invalid_argument);
}

TEST_F(Files, PublishFolderIsAllOrNothing) {
    auto target = folder_ / "model";
    auto failed = publish_folder(target, [](const fs::path& temporary) -> Result<void> {
        std::ofstream(temporary / "half") << "x";
        return fail(ErrorCode::corrupt, "broken on the way");
    });
    EXPECT_FALSE(failed);
    EXPECT_TRUE(fs::is_empty(folder_));
    auto fill = [](const fs::path& temporary) { return write_file_atomically(temporary / "w", "y"); };
    ASSERT_TRUE(publish_folder(target, fill));
    EXPECT_EQ(*read_file(target / "w"), "y");
    EXPECT_EQ(publish_folder(target, fill).error().code, ErrorCode::already_exists);
}

TEST_F(Files, Sha256IsTheStandards) {
    // FIPS 180-4 example and the empty string.
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ASSERT_TRUE(write_file_atomically(folder_ / "a", "abc"));
    EXPECT_EQ(*sha256_file(folder_ / "a"), sha256_hex("abc"));
}

TEST_F(Files, HomeIsCreatedPrivate) {
    auto home = open_home((folder_ / "home").string());
    ASSERT_TRUE(home);
    EXPECT_TRUE(fs::is_directory(home->models()));
    EXPECT_EQ(fs::status(home->root).permissions(), fs::perms::owner_all);
}

TEST_F(Files, JobSpecReturnsFromItsFile) {
    JobSpec spec;
    spec.base_folder = "base";
    spec.base_digest = "d";
    spec.labels = {"a", "b"};
    spec.lora.targets = {"query"};
    spec.train.seed = 7;
    spec.train.learning_rate = 0.00123;
    ASSERT_TRUE(write_job_spec(folder_, spec));
    auto read = read_job_spec(folder_);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_json(*read), to_json(spec));
    auto value = to_json(spec);
    value.as_object()["train"].as_object()["epoch"] = 3;
    EXPECT_EQ(job_spec_from_json(value).error().param, "epoch");
}

TEST(Random, SeededStreamsRepeatAndDiffer) {
    SeededRandom a(1), b(1), c(2);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
    EXPECT_NE(a.next(), c.next());
}

TEST(Random, BelowIsUniform) {
    SeededRandom random(3);
    std::vector<int> counts(6);
    for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];
    for (int count : counts) EXPECT_NEAR(count, 10000, 500);  // five standard deviations are 456
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
    SeededRandom random(4);
    double sum = 0, squares = 0;
    constexpr int n = 100000;
    for (int i = 0; i < n; ++i) {
        double x = random.normal();
        sum += x;
        squares += x * x;
    }
    EXPECT_NEAR(sum / n, 0, 0.02);
    EXPECT_NEAR(squares / n, 1, 0.03);
}

TEST(Ids, AreVersionSevenAndSortByTime) {
    auto early = mint<TenantTag>({1'000'000});
    auto late = mint<TenantTag>({2'000'000'000'000});
    EXPECT_LT(early, late);
    EXPECT_TRUE(early.text().starts_with("ten_"));
    EXPECT_EQ(early.text().size(), 4u + 32u);
    EXPECT_EQ(early.text()[4 + 12], '7');
    std::set<std::string> all;
    for (int i = 0; i < 1000; ++i) all.insert(mint<TenantTag>({5}).text());
    EXPECT_EQ(all.size(), 1000u);
}

TEST(Clock, Iso8601AndMonotone) {
    EXPECT_EQ(to_iso8601({0}), "1970-01-01T00:00:00Z");
    EXPECT_EQ(to_iso8601({1'795'460'400'000'000}), "2026-11-23T19:00:00Z");
    auto before = system_clock().now();
    EXPECT_LE(before, system_clock().now());
}

TEST(Progress, FormatsForPeople) {
    EXPECT_EQ(format_bytes(90868376), "90.9 MB");
    EXPECT_EQ(format_bytes(12), "12 B");
    EXPECT_EQ(format_duration(65), "1:05");
    EXPECT_EQ(format_duration(7384), "2:03:04");
    EXPECT_EQ(format_count(10003), "10,003");
    EXPECT_EQ(format_count(3), "3");
}

}  // namespace
}  // namespace rootstock
