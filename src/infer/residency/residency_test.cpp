#include "infer/residency/residency.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

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

// A round through everybody's adapters, as a nightly batch makes it, leaves those in memory that are asked for again.
TEST_F(ResidencyTest, WhoCameOnceLeavesBeforeWhoCameAgain) {
    auto one = load(*std::make_unique<Residency>(tiny::base()), "size", make("size", 1));
    ASSERT_TRUE(one);
    Residency residency(tiny::base(), {.bytes_max = (*one)->bytes * 5});
    for (const char* name : {"a", "b"}) {
        ASSERT_TRUE(load(residency, name, make(name, 2)));
        EXPECT_NE(residency.find(AdapterId(name)), nullptr);
    }
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(load(residency, std::to_string(i), make(std::to_string(i), 3)));
    EXPECT_NE(residency.find(AdapterId("a")), nullptr);
    EXPECT_NE(residency.find(AdapterId("b")), nullptr);
    EXPECT_EQ(residency.find(AdapterId("6")), nullptr);
    EXPECT_NE(residency.find(AdapterId("7")), nullptr);
    EXPECT_EQ(residency.load().adapters, 5u);
}

// However many come again, a fifth of the room stays for those who come new: else each of them would put out the last.
TEST_F(ResidencyTest, WhoComesNewFindsRoom) {
    auto one = load(*std::make_unique<Residency>(tiny::base()), "size", make("size", 1));
    ASSERT_TRUE(one);
    Residency residency(tiny::base(), {.bytes_max = (*one)->bytes * 10});
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(load(residency, std::to_string(i), make(std::to_string(i), 2)));
        EXPECT_NE(residency.find(AdapterId(std::to_string(i))), nullptr);
    }
    ASSERT_TRUE(load(residency, "x", make("x", 3)));
    ASSERT_TRUE(load(residency, "y", make("y", 3)));
    EXPECT_NE(residency.find(AdapterId("x")), nullptr);
    EXPECT_NE(residency.find(AdapterId("y")), nullptr);
    EXPECT_EQ(residency.find(AdapterId("0")), nullptr);
    EXPECT_NE(residency.find(AdapterId("9")), nullptr);
    EXPECT_EQ(residency.load().bytes, (*one)->bytes * 10);
}

TEST_F(ResidencyTest, TellsHowEachAdapterStands) {
    Residency residency(tiny::base());
    EXPECT_EQ(residency.standing(AdapterId("a")).state, AdapterState::cold);
    ASSERT_TRUE(load(residency, "a", make("a", 1)));
    EXPECT_EQ(residency.standing(AdapterId("a")).state, AdapterState::ready);
    EXPECT_GT(residency.standing(AdapterId("a")).bytes, 0u);
    EXPECT_FALSE(load(residency, "b", folder_ / "nothing"));
    const auto failed = residency.standing(AdapterId("b"));
    EXPECT_EQ(failed.state, AdapterState::failed);
    EXPECT_FALSE(failed.error.message.empty());
    const auto facts = residency.load();
    EXPECT_EQ(facts.adapters, 1u);
    EXPECT_EQ(facts.failed, 1u);
    EXPECT_EQ(facts.loading, 0u);
    EXPECT_GT(facts.load_micros, 0u);
}

// A failure is told again without a look at the files, and forgotten after a while: what was mended is found.
TEST_F(ResidencyTest, RemembersAFailureForAMomentOnly) {
    Residency residency(tiny::base(), {.failure_seconds = 0.1});
    EXPECT_FALSE(load(residency, "a", folder_ / "a"));
    make("a", 1);
    EXPECT_FALSE(load(residency, "a", folder_ / "a"));
    EXPECT_EQ(residency.load().failures, 1u);
    const double begin = monotonic_seconds();
    while (!load(residency, "a", folder_ / "a") && monotonic_seconds() - begin < 10)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_NE(residency.find(AdapterId("a")), nullptr);
    EXPECT_EQ(residency.load().failed, 0u);
    EXPECT_EQ(residency.load().failures, 1u);
}

// Self-tests are run once: a version that has proven itself comes back without them.
TEST_F(ResidencyTest, AsksForProofOnce) {
    auto one = load(*std::make_unique<Residency>(tiny::base()), "a", make("a", 1));
    ASSERT_TRUE(one);
    Residency residency(tiny::base(), {.bytes_max = (*one)->bytes});
    ASSERT_TRUE(load(residency, "a", folder_ / "a"));
    ASSERT_TRUE(load(residency, "b", make("b", 2)));  // a goes
    ASSERT_EQ(residency.find(AdapterId("a")), nullptr);
    const auto wrong = make("wrong", 3, 0.5f);
    EXPECT_FALSE(load(residency, "c", wrong));  // a stranger is asked
    EXPECT_TRUE(load(residency, "a", wrong));   // who has proven itself is not
}

// What was brought in once comes back from its packed copy, and says the same to the bit.
TEST_F(ResidencyTest, ComesBackFromAPackedCopy) {
    const auto folder = make("a", 1), copy = fs::path(folder.string() + ".packed");
    Residency residency(tiny::base());
    const auto first = tiny::must(load(residency, "a", folder));
    ASSERT_TRUE(fs::exists(copy));
    EXPECT_EQ(residency.load().packed_loads, 0u);
    auto one =
        tiny::must(load(*std::make_unique<Residency>(tiny::base()), "a", folder));  // a new process asks for proof
    Residency small(tiny::base(), {.bytes_max = one->bytes});
    ASSERT_TRUE(load(small, "a", folder));
    ASSERT_TRUE(load(small, "b", make("b", 2)));  // a goes
    EXPECT_EQ(small.load().packed_loads, 0u);
    const auto again = tiny::must(load(small, "a", folder));
    EXPECT_EQ(small.load().packed_loads, 1u);
    EXPECT_EQ(again->labels, first->labels);
    EXPECT_EQ(again->tokens_max, first->tokens_max);
    EXPECT_EQ(again->bytes, first->bytes);
    const auto ids = tiny::tokens("where is my card?");
    EXPECT_EQ(tiny::logits(*again->native, ids), tiny::logits(*first->native, ids));
}

TEST_F(ResidencyTest, MakesADamagedCopyAnew) {
    auto made = tiny::adapter(1);
    tiny::must(save_adapter(folder_ / "a", made, tiny::model().spec));  // without self-tests: the copy is taken at once
    const auto copy = folder_ / "a.packed";
    const auto wanted = tiny::must(load(*std::make_unique<Residency>(tiny::base()), "a", folder_ / "a"));
    auto bytes = tiny::must(read_file(copy));
    bytes[bytes.size() - 100] ^= 1;
    tiny::must(write_file_atomically(copy, bytes));
    Residency residency(tiny::base());
    const auto ids = tiny::tokens("where is my card?");
    EXPECT_EQ(tiny::logits(*tiny::must(load(residency, "a", folder_ / "a"))->native, ids),
              tiny::logits(*wanted->native, ids));
    EXPECT_EQ(residency.load().packed_loads, 0u);
    Residency next(tiny::base());
    ASSERT_TRUE(load(next, "a", folder_ / "a"));
    EXPECT_EQ(next.load().packed_loads, 1u);
}

TEST_F(ResidencyTest, ManyCallersForOneLoading) {
    Residency residency(tiny::base());
    const auto folder = make("a", 1);
    std::vector<std::future<Result<ResidentAdapterPtr>>> futures;
    for (int i = 0; i < 50; ++i) {
        auto promise = std::make_shared<std::promise<Result<ResidentAdapterPtr>>>();
        futures.push_back(promise->get_future());
        residency.load(AdapterId("a"), folder, [promise](Result<ResidentAdapterPtr> got) { promise->set_value(got); });
    }
    for (auto& future : futures) EXPECT_TRUE(future.get());
    EXPECT_EQ(residency.load().loads, 1u);
    EXPECT_EQ(residency.load().waiting, 0u);
}

TEST_F(ResidencyTest, LetsOnlySoManyWait) {
    Residency residency(tiny::base(), {.loader_threads = 1, .waiting_max = 1});
    std::promise<void> held, go;
    residency.load(AdapterId("a"), make("a", 1), [&](Result<ResidentAdapterPtr>) {
        held.set_value();
        go.get_future().wait();  // keeps the only loader
    });
    held.get_future().wait();
    std::promise<Result<ResidentAdapterPtr>> second;
    residency.load(AdapterId("b"), make("b", 2), [&](Result<ResidentAdapterPtr> got) { second.set_value(got); });
    const auto third = load(residency, "c", make("c", 3));
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().reason, "loading_full");
    go.set_value();
    EXPECT_TRUE(second.get_future().get());
}

}  // namespace
}  // namespace rootstock
