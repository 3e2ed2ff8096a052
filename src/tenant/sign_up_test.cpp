#include "tenant/sign_up.h"

#include <gtest/gtest.h>

#include "store/test_store.h"
#include "tenant/tenant.h"

namespace rootstock::tenant {
namespace {

using namespace std::chrono_literals;

class SigningUp : public ::testing::Test {
protected:
    template <typename F>
    auto write(F work) {
        return database_->write_now(std::move(work));
    }
    Result<std::optional<BegunSignUp>> begin(std::string email, std::string name = "Acme") {
        return write([&](store::Session& session) {
            return begin_sign_up(session, derive_, {.email = email, .name = name, .plan = "starter"}, clock_.now());
        });
    }
    std::string token_for(const std::string& email) {
        auto begun = begin(email);
        EXPECT_TRUE(begun && *begun);
        return begun.value().value().token;
    }
    Result<SignUp> take(const std::string& token) {
        return write([&](store::Session& session) -> Result<SignUp> {
            ROOTSTOCK_TRY(made, create(session, free_tenant_name(session, "Acme"), clock_.now()));
            return take_sign_up(session, derive_, token, made.id, clock_.now());
        });
    }

    store::TestStore store_;
    std::unique_ptr<store::Database> database_ = std::move(store::Database::open(store_.where(), migrations()).value());
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};
    DeriveSecret derive_ = [](const std::string& purpose) { return std::string(32, 'k') + purpose; };
};

TEST_F(SigningUp, ATokenOpensOnce) {
    const auto token = token_for("Ann@Example.com");
    const auto taken = take(token);
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(taken->email, "ann@example.com");
    EXPECT_EQ(taken->plan, "starter");
    EXPECT_EQ(take(token).error().reason, "sign_up_not_found");
}

TEST_F(SigningUp, ForgedAndLateTokensSoundTheSame) {
    const auto token = token_for("ann@example.com");
    auto forged = token;
    forged.back() = forged.back() == '0' ? '1' : '0';
    for (const auto& wrong : {forged, token.substr(0, token.find('.')), std::string("x.y"), std::string()})
        EXPECT_EQ(take(wrong).error().reason, "sign_up_not_found") << wrong;
    clock_.advance(sign_up_lasts + 1s);
    EXPECT_EQ(take(token).error().message, take(forged).error().message);
    EXPECT_EQ(take(token).error().reason, "sign_up_not_found");
}

TEST_F(SigningUp, OneTrialForOneOwnerHoweverTheAddressIsWritten) {
    for (const auto& [written, owner] : {std::pair{"J.Doe+trial@googlemail.com", "jdoe@gmail.com"},
                                         {"j.doe+x@example.com", "j.doe@example.com"},
                                         {"+x@example.com", "+x@example.com"}})
        EXPECT_EQ(owner_address(written), owner);
    const auto token = token_for("j.doe@gmail.com");
    clock_.advance(sign_up_pause + 1s);
    const auto second = token_for("jdoe+again@gmail.com");
    ASSERT_TRUE(take(token));
    EXPECT_EQ(take(second).error().reason, "sign_up_not_found") << "asked for before, confirmed after";
    clock_.advance(sign_up_pause + 1s);
    const auto begun = begin("JDoe@gmail.com").value().value();
    EXPECT_TRUE(begun.had_trial);
    EXPECT_EQ(take(begun.token).error().reason, "sign_up_not_found");
}

TEST_F(SigningUp, LettersHaveAPauseBetweenThem) {
    token_for("ann@example.com");
    EXPECT_FALSE(begin("ann+1@example.com").value());
    clock_.advance(sign_up_pause + 1s);
    EXPECT_TRUE(begin("ann@example.com").value());
    EXPECT_EQ(begin("nonsense").error().param, "email");
    EXPECT_EQ(begin("bea@example.com", "").error().param, "name");
}

TEST_F(SigningUp, NamesOfTenantsAreFree) {
    const auto named = [&](const char* called) {
        return write([&](store::Session& session) -> Result<std::string> {
                   const auto name = free_tenant_name(session, called);
                   ROOTSTOCK_CHECKED(create(session, name, clock_.now()));
                   return name;
               })
            .value();
    };
    EXPECT_EQ(named("Acme GmbH & Co."), "acme-gmbh-co");
    EXPECT_TRUE(named("acme gmbh co").starts_with("acme-gmbh-co-"));
    EXPECT_TRUE(named("中文公司").starts_with("customer-"));
    EXPECT_TRUE(named("---").starts_with("customer-"));
    EXPECT_LE(named(std::string(200, 'x').c_str()).size(), 63U);
}

}  // namespace
}  // namespace rootstock::tenant
