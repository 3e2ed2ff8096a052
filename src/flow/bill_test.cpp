#include "flow/bill.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace rootstock::bill {
namespace {

class BillTest : public ::testing::Test {
protected:
    BillTest() {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-bill-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        auto migrations = tenant::migrations();
        for (auto& migration : ledger::migrations()) migrations.push_back(std::move(migration));
        database_ = std::move(store::Database::open(folder_ / "records.db", std::move(migrations)).value());
    }
    ~BillTest() override {
        database_.reset();
        std::filesystem::remove_all(folder_);
    }
    Result<tenant::Tenant> create(std::string_view name, std::string_view plan = ledger::default_plan) {
        return database_->write_now([&](store::Session& s) { return create_tenant(s, name, plan, clock_.now()); });
    }
    // One answered request of 1,000 tokens that took 36 s of the machine.
    void serve(const TenantId& tenant) {
        auto charged = database_->write_now([&](store::Session& session) -> Result<ledger::Charge> {
            const auto request = mint<RequestTag>(clock_.now());
            ROOTSTOCK_CHECKED(ledger::reserve(
                session, {request, tenant, ApiKeyId("key_1"), "minilm", 1000, {clock_.now().micros + 60}, "run"},
                clock_.now()));
            return ledger::post(session,
                                {request, "classify", "minilm", "intent@1", {1000, 4, 36'000'000}, AdapterId("ada_1")},
                                clock_.now());
        });
        ASSERT_TRUE(charged) << charged.error().message;
    }

    std::filesystem::path folder_;
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};  // 2026-11-18
    const ledger::Period november_ = ledger::month("2026-11").value();
    std::unique_ptr<store::Database> database_;
};

TEST_F(BillTest, ATenantHasBooksOrIsNotThere) {
    EXPECT_EQ(create("acme", "nosuch").error().reason, "plan_not_found");
    auto found = database_->read([](store::Session& session) { return tenant::find(session, "acme"); });
    EXPECT_FALSE(found);
    ASSERT_TRUE(create("acme"));
    EXPECT_EQ(create("acme").error().code, ErrorCode::already_exists);
}

TEST_F(BillTest, InvoicesAndUsageGoByName) {
    serve(create("acme")->id);
    auto bill = database_->read([&](store::Session& session) { return invoice(session, "acme", november_); });
    ASSERT_TRUE(bill) << bill.error().message;
    EXPECT_EQ(bill->statement.rounded, "0.02");
    EXPECT_EQ(bill->invoice.total, 2);
    EXPECT_EQ(bill->tenant.name, "acme");
    auto used = database_->read([&](store::Session& session) { return usage(session, "acme", november_); });
    EXPECT_EQ(used->lines.at(0).rows, 4);
    EXPECT_EQ(used->balance.owed, Micros{20'000});
    auto nobody = database_->read([&](store::Session& session) { return invoice(session, "nobody", november_); });
    EXPECT_EQ(nobody.error().reason, "tenant_not_found");
}

TEST_F(BillTest, EconomicsNameTheirTenants) {
    serve(create("acme")->id);
    ASSERT_TRUE(database_->write_now([&](store::Session& session) -> Result<void> {
        ledger::book_work(session, {"training", "job_1", {}, "minilm", "topic@1", {}, 1'000'000}, clock_.now());
        return {};
    }));
    auto report = database_->read([&](store::Session& session) { return bill::economics(session, november_); });
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->tenant_names, (std::vector<std::string>{"(house)", "acme"}));
    EXPECT_EQ(report->economics.by_tenant[1].margin, Micros{19'000});
}

}  // namespace
}  // namespace rootstock::bill
