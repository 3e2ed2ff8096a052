#include "flow/fetch/web.h"

#include <gtest/gtest.h>

#include <fstream>

#include "flow/fetch/remote_file.h"

namespace rootstock {
namespace {

TEST(Web, KnowsWhereATokenMayGo) {
    EXPECT_TRUE(same_origin("https://hub.example/a", "https://hub.example:443/b?x"));
    EXPECT_FALSE(same_origin("https://hub.example/a", "https://cdn.hub.example/a"));
    EXPECT_FALSE(same_origin("https://hub.example/a", "http://hub.example/a"));
    EXPECT_FALSE(same_origin("http://127.0.0.1:8000/", "http://127.0.0.1:8001/"));
}

TEST(Web, SpellsAddresses) {
    EXPECT_EQ(percent_encoded("refs/pr/1", false), "refs%2Fpr%2F1");
    EXPECT_EQ(percent_encoded("1_Pooling/config x.json", true), "1_Pooling/config%20x.json");
    EXPECT_EQ(plain_etag("W/\"abc\""), "abc");
    EXPECT_TRUE(is_web_address("https://hub.example"));
    EXPECT_FALSE(is_web_address("file:///etc/passwd"));
    EXPECT_FALSE(is_web_address("hub"));
}

// git hash-object of a file that holds "hello\n".
TEST(Web, ComputesGitBlobIds) {
    auto file = std::filesystem::temp_directory_path() / ("rootstock-blob-" + secret_base62(8));
    std::ofstream(file) << "hello\n";
    EXPECT_EQ(*git_blob_id(file), "ce013625030ba8dba906f756967f9e9ca394464a");
    std::filesystem::remove(file);
}

TEST(Web, PatienceCountsOnlyAttemptsWithoutProgress) {
    HubSettings settings{"http://x", "", 3, 0};
    int attempts = 0;
    auto broken = [&]() -> Result<void> { return ++attempts, fail(ErrorCode::unavailable, "broken"); };
    EXPECT_FALSE(with_patience(settings, broken, [] { return false; }));
    EXPECT_EQ(attempts, 3);
    attempts = 0;
    EXPECT_FALSE(with_patience(settings, broken, [&] { return attempts <= 4; }));
    EXPECT_EQ(attempts, 6);
    attempts = 0;
    auto hopeless = [&]() -> Result<void> { return ++attempts, fail(ErrorCode::not_found, "no"); };
    EXPECT_FALSE(with_patience(settings, hopeless, [] { return false; }));
    EXPECT_EQ(attempts, 1);
}

}  // namespace
}  // namespace rootstock
