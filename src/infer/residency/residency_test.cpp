#include "infer/residency/residency.h"

#include <gtest/gtest.h>

#include <future>

#include "infer/tiny_test_model.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

class ResidencyTest : public testing::Test {
protected:
    ResidencyTest() : folder_(fs::temp_directory_path() / ("rootstock-residency-" + secret_base62(8))) {
        fs::create_directory(folder_);
    }
    ~ResidencyTest() override { fs::remove_all(folder_); }

    // An adapter folder whose self-test is off by `error`.
    fs::path make(const std::string& name, std::uint64_t seed, float error = 0) {
        auto adapter = tiny::adapter(seed);
        auto native = tiny::must(NativeAdapter::load(*tiny::base().model, adapter));
        auto ids = tiny::tokens("where is my card?");
        auto logits = tiny::logits(*native, ids);
        logits[1] += error;
        adapter.self_tests.push_back({"where is my card?", ids, logits});
        tiny::must(save_adapter(folder_ / name, adapter, tiny::model().spec));
        return folder_ / name;
    }

    static Result<ResidentAdapterPtr> load(Residency& residency, const std::string& id, const fs::path& folder) {
        std::promise<Result<ResidentAdapterPtr>> promise;
        residency.load(AdapterId(id), folder, [&](Result<ResidentAdapterPtr> loaded) { promise.set_value(loaded); });
        return promise.get_future().get();
    }

    fs::path folder_;
};

TEST_F(ResidencyTest, LoadsOnceAndKeeps) {
    Residency residency(tiny::base());
    auto folder = make("a", 1);
    EXPECT_EQ(residency.find(AdapterId("a")), nullptr);
    auto loaded = load(residency, "a", folder);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ((*loaded)->labels.size(), 3u);
    EXPECT_EQ((*loaded)->tokens_max, tiny::model().spec.positions_max);
    EXPECT_EQ(residency.find(AdapterId("a")), *loaded);
    EXPECT_EQ(*load(residency, "a", folder), *loaded);
    EXPECT_EQ(residency.load().loads, 1u);
}

TEST_F(ResidencyTest, RefusesAnAdapterThatSaysSomethingElse) {
    Residency residency(tiny::base());
    auto wrong = load(residency, "b", make("b", 2, 0.5f));
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, ErrorCode::conflict);
    EXPECT_NE(wrong.error().message.find("self-test 1"), std::string::npos) << wrong.error().message;
    EXPECT_EQ(residency.find(AdapterId("b")), nullptr);
    EXPECT_FALSE(load(residency, "c", folder_ / "nothing"));
    EXPECT_EQ(residency.load().adapters, 0u);
}

TEST_F(ResidencyTest, LetsTheLeastRecentlyUsedGo) {
    auto one = load(*std::make_unique<Residency>(tiny::base()), "a", make("a", 1));
    ASSERT_TRUE(one);
    Residency residency(tiny::base(), {.bytes_max = (*one)->bytes * 2});
    auto a = load(residency, "a", folder_ / "a");
    ASSERT_TRUE(load(residency, "b", make("b", 2)));
    EXPECT_NE(residency.find(AdapterId("a")), nullptr);
    ASSERT_TRUE(load(residency, "c", make("c", 3)));
    EXPECT_EQ(residency.find(AdapterId("b")), nullptr);
    EXPECT_NE(residency.find(AdapterId("a")), nullptr);
    EXPECT_NE(residency.find(AdapterId("c")), nullptr);
    EXPECT_EQ(residency.load().evictions, 1u);
    EXPECT_EQ(residency.load().bytes, (*one)->bytes * 2);
    EXPECT_EQ((*a)->labels.size(), 3u);  // who holds one keeps it
}

}  // namespace
}  // namespace rootstock
