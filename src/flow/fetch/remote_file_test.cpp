#include "flow/fetch/remote_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace rootstock {
namespace {

// git hash-object of a file that holds "hello\n".
TEST(RemoteFile, ComputesGitBlobIds) {
    auto file = std::filesystem::temp_directory_path() / ("rootstock-blob-" + secret_base62(8));
    std::ofstream(file) << "hello\n";
    EXPECT_EQ(*git_blob_id(file), "ce013625030ba8dba906f756967f9e9ca394464a");
    std::filesystem::remove(file);
}

TEST(RemoteFile, PatienceCountsOnlyAttemptsWithoutProgress) {
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
