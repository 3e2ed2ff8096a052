#include "app/commands/commands.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

TEST(Commands, SuggestsTheNearestWord) {
    std::vector<std::string> known{"pull", "finetune", "promote", "--json"};
    EXPECT_EQ(nearest_word("fintune", known), "finetune");
    EXPECT_EQ(nearest_word("promoet", known), "promote");
    EXPECT_EQ(nearest_word("--jsno", known), "--json");
    EXPECT_EQ(nearest_word("banana", known), "");
    EXPECT_EQ(nearest_word("x", known), "");
}

TEST(Commands, TablesAlignByWhatIsSeen) {
    Table table({"NAME", "N"});
    table.align_right(1);
    table.add({"München", "7"});
    table.add({"a", "12"});
    EXPECT_NE(table.text().find("München   7\na        12\n"), std::string::npos) << table.text();
}

TEST(Commands, AnErrorSetsTheExitCode) {
    Context context;
    run_command(context, [] { return Result<void>(); });
    EXPECT_EQ(context.exit_code, 0);
    run_command(context, []() -> Result<void> { return fail(ErrorCode::cancelled, "stopped"); });
    EXPECT_EQ(context.exit_code, 130);
    run_command(context, []() -> Result<void> { throw std::runtime_error("boom"); });
    EXPECT_EQ(context.exit_code, 1);
}

}  // namespace
}  // namespace rootstock
