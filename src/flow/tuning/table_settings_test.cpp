#include "flow/tuning/table_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/model.h"

namespace rootstock {
namespace {

using testing::HasSubstr;

TableSchema some_schema(LabelKind kind) {
    TableSchema schema;
    schema.columns.push_back({"size", ColumnRole::numeric, "numbers", ""});
    schema.columns.push_back({"due", ColumnRole::date, "dates", ""});
    schema.columns.push_back({"note", ColumnRole::left_out, "free text", ""});
    TableColumn colour{"colour", ColumnRole::categorical, "words", ""};
    colour.categories = {"red", "blue", "green"};
    schema.columns.push_back(std::move(colour));
    schema.label = {"answer", kind};
    if (kind == LabelKind::classes) schema.label.classes = {"no", "perhaps", "yes"};
    return schema;
}

TEST(TableSettings, ComeBackAsTheyWere) {
    TableSettings settings;
    settings.width = 48;
    settings.heads = 4;
    settings.hidden_dropout = 0.3;
    settings.balanced_classes = true;
    const auto again = table_settings_from_json(to_json(settings));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(to_json(*again), to_json(settings));
}

TEST(TableSettings, RefuseWhatIsNoModel) {
    const auto refused = [](const char* text) {
        const auto settings = table_settings_from_json(json::parse(text));
        return settings ? std::string("accepted") : settings.error().message;
    };
    EXPECT_THAT(refused(R"({"width":33,"heads":8})"), HasSubstr("must be a multiple of heads"));
    EXPECT_THAT(refused(R"({"attention_dropout":1})"), HasSubstr("attention_dropout"));
    EXPECT_THAT(refused(R"({"depth":2})"), HasSubstr("depth"));
}

TEST(TableSettings, GiveTheModelThatTheSchemaNeeds) {
    const auto spec = spec_of_config(table_config({}, some_schema(LabelKind::classes), true), "config").value();
    EXPECT_EQ(spec.columns.numbers, 1 + 5) << "a number, and five numbers of a date";
    EXPECT_EQ(spec.columns.categories, std::vector<std::int32_t>{3 + 2}) << "missing and not seen have ids too";
    EXPECT_TRUE(spec.columns.missing);
    EXPECT_EQ(spec.head.classes, 3);
    const auto number = spec_of_config(table_config({}, some_schema(LabelKind::number), false), "config").value();
    EXPECT_FALSE(number.columns.missing);
    EXPECT_EQ(number.head.classes, 1);
}

}  // namespace
}  // namespace rootstock
