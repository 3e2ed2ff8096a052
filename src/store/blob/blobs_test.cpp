#include "store/blob/blobs.h"

#include <gtest/gtest.h>

#include "store/test_folder.h"

namespace rootstock::store {
namespace {

std::size_t files_in(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file();
    return count;
}

TEST(Blobs, KeepsBytesWithTheirDigests) {
    TestFolder folder;
    Blobs blobs(folder.path);
    auto blob = blobs.begin();
    ASSERT_TRUE(blob);
    ASSERT_TRUE(blob->append("a"));
    ASSERT_TRUE(blob->append("bc"));
    auto facts = blobs.keep(std::move(*blob), {"ten_1", "file_1"});
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(facts->bytes, 3u);
    EXPECT_EQ(facts->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, "abc"
    EXPECT_EQ(facts->md5, "900150983cd24fb0d6963f7d28e17f72");                                     // RFC 1321, "abc"
    EXPECT_EQ(read_file(blobs.path({"ten_1", "file_1"})).value(), "abc");
}

TEST(Blobs, AnOwnersKeyReachesNobodyElsesBytes) {
    TestFolder folder;
    Blobs blobs(folder.path);
    ASSERT_TRUE(blobs.keep("mine", {"ten_1", "file_1"}));
    for (const char* id : {"file_1", "../x", "/etc/passwd", ""}) {
        auto path = blobs.path({"ten_2", id});
        EXPECT_FALSE(std::filesystem::exists(path)) << id;
        EXPECT_EQ(path.parent_path().parent_path(), folder.path) << id;
    }
    EXPECT_NE(blobs.path({"ten_1", "2file_1"}), blobs.path({"ten_12", "file_1"}));
}

TEST(Blobs, WhatIsDroppedOrRemovedLeavesNothing) {
    TestFolder folder;
    Blobs blobs(folder.path);
    {
        auto blob = blobs.begin();
        ASSERT_TRUE(blob && blob->append("half"));
        EXPECT_EQ(files_in(folder.path), 1u);
    }
    EXPECT_EQ(files_in(folder.path), 0u);
    ASSERT_TRUE(blobs.keep("x", {"ten_1", "file_1"}));
    blobs.remove({"ten_2", "file_1"});
    EXPECT_EQ(files_in(folder.path), 1u);
    blobs.remove({"ten_1", "file_1"});
    blobs.remove({"ten_1", "file_1"});
    EXPECT_EQ(files_in(folder.path), 0u);
}

TEST(Blobs, LeftOversOfADeadWriterAreCleared) {
    TestFolder folder;
    Blobs blobs(folder.path);
    blobs.clear_incoming();
    ASSERT_TRUE(write_file_atomically(blobs.incoming() / "blob-old", "half"));
    ASSERT_TRUE(write_file_atomically(blobs.incoming() / "blob-new", "half"));
    std::filesystem::last_write_time(blobs.incoming() / "blob-old",
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
    blobs.clear_incoming();
    EXPECT_FALSE(std::filesystem::exists(blobs.incoming() / "blob-old"));
    EXPECT_TRUE(std::filesystem::exists(blobs.incoming() / "blob-new"));
}

}  // namespace
}  // namespace rootstock::store
