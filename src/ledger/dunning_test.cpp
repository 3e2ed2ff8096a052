#include "ledger/dunning.h"

#include "ledger/test_invoices.h"

namespace rootstock::ledger {
namespace {

using namespace std::chrono_literals;

class DunningTest : public Invoicing {
protected:
    std::vector<std::string> run() {
        std::vector<std::string> told;
        const auto hand_in = [&](store::Session&, const DunningEvent& event) -> Result<void> {
            told.push_back(event.action + " " + std::to_string(event.day));
            return {};
        };
        const auto events =
            write([&](store::Session& session) { return run_dunning(session, clock_.now(), hand_in); }).value();
        EXPECT_EQ(events.size(), told.size());
        return told;
    }
    using Told = std::vector<std::string>;
};

TEST_F(DunningTest, EachStepOnItsDayAndOnce) {
    const auto bill = issued(acme_, {line(1000)});
    clock_.advance(24h * 14 - 1us);
    EXPECT_EQ(run(), Told{}) << "due, but not yet";
    clock_.advance(1us);
    const std::vector<std::pair<int, Told>> days = {
        {0, {"remind 0"}}, {1, {"remind 1"}},    {2, {}},  {3, {"remind 3"}},   {6, {}}, {7, {"remind 7"}},
        {13, {}},          {14, {"suspend 14"}}, {29, {}}, {30, {"cancel 30"}}, {90, {}}};
    int today = 0;
    for (const auto& [day, told] : days) {
        clock_.advance(24h * (day - today));
        today = day;
        EXPECT_EQ(run(), told) << "day " << day;
        EXPECT_EQ(run(), Told{}) << "a second call on day " << day;
    }
    EXPECT_EQ(see([&](store::Session& session) { return dunning_of(session, bill.id); }).size(), 6U);
}

TEST_F(DunningTest, MissedStepsAreSkippedButTheLast) {
    const auto bill = issued(acme_, {line(1000)});
    clock_.advance(24h * (14 + 5));
    EXPECT_EQ(run(), Told{"remind 3"});
    const auto steps = see([&](store::Session& session) { return dunning_of(session, bill.id); });
    ASSERT_EQ(steps.size(), 3U);
    EXPECT_TRUE(steps[0].skipped && steps[1].skipped && !steps[2].skipped);
}

TEST_F(DunningTest, WhoHasPaidIsLeftAlone) {
    const auto first = issued(acme_, {line(1000)}), second = issued(acme_, {line(1000)}),
               third = issued(acme_, {line(1000)});
    ASSERT_TRUE(paid(first.id, 1000, "bank 1"));
    ASSERT_TRUE(voided(second.id));
    ASSERT_TRUE(given_up(third.id));
    clock_.advance(24h * 60);
    EXPECT_EQ(run(), Told{});
}

TEST_F(DunningTest, AStepThatFailsElsewhereWasNotTaken) {
    const auto bill = issued(acme_, {line(1000)});
    clock_.advance(24h * 14);
    const auto refused = write([&](store::Session& session) {
        return run_dunning(session, clock_.now(), [](store::Session&, const DunningEvent&) -> Result<void> {
            return fail(ErrorCode::unavailable, "the outbox is full");
        });
    });
    EXPECT_FALSE(refused);
    EXPECT_EQ(run(), Told{"remind 0"});
}

}  // namespace
}  // namespace rootstock::ledger
