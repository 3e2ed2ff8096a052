#include "app/routes/base64.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

// The vectors of RFC 4648, section 10.
TEST(Base64, BothWays) {
    const std::pair<const char*, const char*> known[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : known) {
        std::string out;
        append_base64(out, bytes);
        EXPECT_EQ(out, text);
        EXPECT_EQ(read_base64(text), bytes);
    }
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    std::string text;
    append_base64(text, all);
    EXPECT_EQ(read_base64(text), all);
}

TEST(Base64, RefusesWhatIsNone) {
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zm9v\n", "Zm9*", "Zh==", "Zm9=", "====", "Zg==Zg==", "-_-_"})
        EXPECT_EQ(read_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace rootstock
