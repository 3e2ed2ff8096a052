#include "infer/table/table_desk.h"

#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "infer/table/test_tables.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;
using test_tables::rows_of;

// Two table models of one shape whose weights differ, so that an answer tells which of them gave it.
class TableDesks : public testing::Test {
protected:
    fs::path folder_ = fs::path(testing::TempDir()) / "table_desk_test";

    void SetUp() override {
        fs::remove_all(folder_);
        for (const char* name : {"one", "two"}) {
            test_tables::make(folder_ / name, LabelKind::number, {}, name[0]);
            test_tables::write_self_tests(folder_ / name, test_tables::self_test_of(folder_ / name));
        }
    }

    Result<ResidentAdapterPtr> load(TableDesk& desk, const std::string& name) {
        std::promise<Result<ResidentAdapterPtr>> loaded;
        desk.residency.load(AdapterId("adp_" + name), folder_ / name,
                            [&](Result<ResidentAdapterPtr> came) { loaded.set_value(std::move(came)); });
        return loaded.get_future().get();
    }

    static ColumnBatch cells(const TableModel& model, int rows) {
        std::vector<std::vector<std::optional<std::string>>> values;
        for (int i = 0; i < rows; ++i) values.push_back({std::to_string(1 + i % 9), i % 2 ? "red" : "blue"});
        return tiny::must(model.encode(rows_of(std::move(values), {"size", "colour"})));
    }

    static std::future<Result<InferAnswer>> ask(TableDesk& desk, const std::string& tenant,
                                                std::shared_ptr<TableModel> table, ColumnBatch rows) {
        auto answered = std::make_shared<std::promise<Result<InferAnswer>>>();
        InferRequest request{
            .tenant = TenantId(tenant), .kind = InferKind::head, .cells = std::move(rows), .table = std::move(table)};
        desk.scheduler.submit(std::move(request),
                              [answered](Result<InferAnswer> answer) { answered->set_value(std::move(answer)); });
        return answered->get_future();
    }
};

TEST_F(TableDesks, RowsOfManyCallersRunTogetherAndEachModelSpeaksForItself) {
    std::mutex mutex;
    std::size_t batches = 0, rows = 0;
    TableDeskSettings settings;
    settings.on_batch = [&](const BatchFacts& facts) {
        const std::lock_guard lock(mutex);
        ++batches, rows += facts.rows;
    };
    TableDesk desk(settings);
    const auto one = tiny::must(load(desk, "one")), two = tiny::must(load(desk, "two"));
    EXPECT_EQ(one->id, AdapterId("adp_one"));
    auto alone_one = tiny::must(TableModel::load(folder_ / "one")),
         alone_two = tiny::must(TableModel::load(folder_ / "two"));
    std::vector<std::future<Result<InferAnswer>>> answers;
    for (int i = 0; i < 60; ++i) {
        const auto& table = i % 3 == 0 ? two->table : one->table;
        answers.push_back(ask(desk, "ten_" + std::to_string(i % 7), table, cells(*table, 1 + i % 5)));
    }
    std::size_t asked = 0;
    for (int i = 0; i < 60; ++i) {
        auto& alone = i % 3 == 0 ? alone_two : alone_one;
        const auto answer = tiny::must(answers[static_cast<std::size_t>(i)].get());
        const auto count = static_cast<std::size_t>(1 + i % 5);
        const auto wanted = tiny::must(alone.score(cells(alone, 1 + i % 5)));
        ASSERT_EQ(answer.rows.size(), count);
        TableScores scores;
        for (const auto& logits : answer.rows) alone.add_score(logits, scores);
        for (std::size_t row = 0; row < count; ++row) EXPECT_NEAR(scores.numbers[row], wanted.numbers[row], 1e-5) << i;
        EXPECT_EQ(answer.tokens, static_cast<std::int64_t>(3 * count));  // two columns and the class token
        asked += count;
    }
    const std::lock_guard lock(mutex);
    EXPECT_EQ(rows, asked);
    EXPECT_LT(batches, 60u);  // while one runs, the next forms
}

TEST_F(TableDesks, ModelsComeAndGoWithinTheBudget) {
    TableDeskSettings settings;
    settings.residency.bytes_max = 1;
    TableDesk desk(settings);
    const auto one = tiny::must(load(desk, "one"));
    EXPECT_GT(one->bytes, 1u);
    EXPECT_EQ(desk.residency.standing(AdapterId("adp_one")).state, AdapterState::ready);
    tiny::must(load(desk, "two"));
    EXPECT_EQ(desk.residency.standing(AdapterId("adp_one")).state, AdapterState::cold);
    EXPECT_EQ(desk.residency.load().evictions, 1u);
    EXPECT_TRUE(ask(desk, "acme", one->table, cells(*one->table, 2)).get());  // who holds it is answered
}

TEST_F(TableDesks, WhatDoesNotFitIsRefused) {
    TableDesk desk;
    const auto one = tiny::must(load(desk, "one"));
    auto rows = cells(*one->table, 2);
    rows.categories.pop_back();
    EXPECT_EQ(ask(desk, "acme", one->table, rows).get().error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(ask(desk, "acme", one->table, {}).get().error().code, ErrorCode::invalid_argument);
    test_tables::write_self_tests(folder_ / "two", test_tables::self_test_of(folder_ / "two", 0.1));
    EXPECT_EQ(load(desk, "two").error().code, ErrorCode::conflict);
    EXPECT_TRUE(ask(desk, "acme", one->table, cells(*one->table, 1)).get());
}

}  // namespace
}  // namespace rootstock
