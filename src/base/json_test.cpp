#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/base.h"

namespace rootstock {
namespace {

std::string why(std::string_view text) {
    auto value = parse_json(text, "the body");
    return value ? "" : value.error().message;
}

TEST(Json, AcceptsAnObject) {
    auto value = parse_json(R"({"a": [1, 2.5, "x"], "b": null} )", "the body");
    ASSERT_TRUE(value);
    EXPECT_EQ(value->as_object().at("a").as_array().size(), 3u);
}

TEST(Json, RefusesWhatIsNotJson) {
    EXPECT_NE(why("{\"a\":"), "");
    EXPECT_NE(why("{\"a\":1} x"), "");
    EXPECT_NE(why("{'a':1}"), "");
    EXPECT_NE(why(""), "");
    EXPECT_NE(why("\"\xff\""), "");
}

TEST(Json, RefusesDepthWithoutRecursion) {
    std::string deep(100000, '[');
    EXPECT_NE(why(deep), "");
    std::string fits = std::string(60, '[') + std::string(60, ']');
    EXPECT_EQ(why(fits), "");
}

TEST(Json, RefusesDuplicateKeysAlsoWhenEscaped) {
    EXPECT_NE(why(R"({"model":"x","model":"y"})").find("'model' twice"), std::string::npos);
    EXPECT_NE(why("{\"a\":1,\"\\u0061\":2}").find("twice"), std::string::npos);
    EXPECT_EQ(why(R"({"a":{"b":1},"c":{"b":2},"d":["b","b"]})"), "");
    EXPECT_EQ(why(R"({"a":"a,b","b":"\"a\":"})"), "");
}

TEST(Json, FieldsNameTheUnknownOne) {
    auto value = parse_json(R"({"model":"x","colour":"red"})", "the body");
    JsonFields fields(*value, "the body");
    EXPECT_EQ(fields.required_string("model"), "x");
    auto end = fields.finish();
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().param, "colour");
    EXPECT_EQ(end.error().reason, "unknown_field");
}

TEST(Json, FieldsReportTheFirstFault) {
    auto value = parse_json(R"({"n":"three","k":7})", "the body");
    JsonFields fields(*value, "the body");
    fields.optional_int("n", 1, 0, 9);
    fields.optional_int("k", 1, 0, 5);
    auto end = fields.finish();
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().param, "n");
}

TEST(Json, ConformanceSuite) {
    auto folder = std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "../shared/data/json-test-suite";
    if (const char* set = std::getenv("ROOTSTOCK_SHARED_DATA")) folder = std::filesystem::path(set) / "json-test-suite";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "json-test-suite is not beside this checkout";
    // What the standard leaves open (i_): numbers too small or with too many digits are rounded as doubles are; numbers
    // beyond a double, bytes that are no UTF-8, lone surrogates, marks of byte order and 500 levels are refused.
    const std::set<std::string> taken{"i_number_double_huge_neg_exp.json", "i_number_real_underflow.json",
                                      "i_number_too_big_neg_int.json", "i_number_too_big_pos_int.json",
                                      "i_number_very_big_negative_int.json"};
    int accepted = 0, refused = 0, open = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        auto file = entry.path().filename().string();
        if (entry.path().extension() != ".json") continue;
        auto text = read_file(entry.path());
        ASSERT_TRUE(text);
        bool ok = parse_json(*text, file).has_value();
        if (file.starts_with("y_")) {
            // RFC 8259 calls names "should be unique"; we refuse repeated ones on purpose.
            if (file.find("duplicated_key") != std::string::npos) continue;
            EXPECT_TRUE(ok) << file;
            ++accepted;
        } else if (file.starts_with("n_")) {
            EXPECT_FALSE(ok) << file;
            ++refused;
        } else if (file.starts_with("i_")) {
            EXPECT_EQ(ok, taken.contains(file)) << file;
            ++open;
        }
    }
    EXPECT_EQ(accepted, 93);
    EXPECT_EQ(refused, 188);
    EXPECT_EQ(open, 35);
}

}  // namespace
}  // namespace rootstock
