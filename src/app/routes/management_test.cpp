#include "app/routes/management.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

TEST(Cursor, ComesBackAndRefusesWhatItNeverGave) {
    for (const char* last : {"x", "ten_0123456789abcdef", "2026-01-31|inv_9", "~?~>~?>"})
        EXPECT_EQ(read_cursor(cursor_of(last)), last);
    for (const char* foreign : {"", "=", "a", "ab=", "a+b/", "AAAA", "\xff\xff\xff\xff"})
        EXPECT_EQ(read_cursor(foreign), std::nullopt) << foreign;
    EXPECT_EQ(read_cursor(std::string(513, 'Y')), std::nullopt);
}

TEST(Page, SaysWhetherThereAreMore) {
    const auto page = [](std::vector<std::string> items) {
        return page_of(
            Paging{2, {}}, std::move(items), [](const std::string& item) { return json::value(item); },
            [](const std::string& item) { return item; });
    };
    EXPECT_TRUE(page({"a", "b"}).body.at("next_cursor").is_null());
    const auto more = page({"a", "b", "c"});
    EXPECT_EQ(more.body.at("data").as_array().size(), 2u);
    EXPECT_EQ(read_cursor(more.body.at("next_cursor").as_string()), "b");
}

}  // namespace
}  // namespace rootstock
