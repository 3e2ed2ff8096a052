#include <gtest/gtest.h>
#include <unistd.h>

#include <cctype>
#include <filesystem>

#include "tenant/tenant.h"
#include "tenant/totp.h"

namespace rootstock::tenant {
namespace {

const std::string rfc_secret = "12345678901234567890";  // of the examples in RFC 4226 and RFC 6238

Timestamp at(std::int64_t seconds) { return {seconds * 1'000'000}; }

TEST(Totp, GivesTheCodesOfTheStandard) {
    const std::vector<std::string> codes{"755224", "287082", "359152", "969429", "338314",
                                         "254676", "287922", "162583", "399871", "520489"};  // RFC 4226, appendix D
    for (std::size_t i = 0; i < codes.size(); ++i)
        EXPECT_EQ(hotp(rfc_secret, static_cast<std::int64_t>(i)), codes[i]) << i;
    // RFC 6238, appendix B, whose eight digits end in these six.
    for (const auto& [seconds, code] : std::vector<std::pair<std::int64_t, std::string>>{{59, "287082"},
                                                                                         {1111111109, "081804"},
                                                                                         {1111111111, "050471"},
                                                                                         {1234567890, "005924"},
                                                                                         {2000000000, "279037"},
                                                                                         {20000000000, "353130"}})
        EXPECT_EQ(hotp(rfc_secret, totp_step(at(seconds))), code) << seconds;
}

TEST(Totp, TakesAClockThatIsHalfAMinuteOffAndNoCodeTwice) {
    const auto code = hotp(rfc_secret, 100);
    for (const std::int64_t seconds : {2970, 3000, 3029, 3030, 3059})
        EXPECT_EQ(totp_match(rfc_secret, code, at(seconds), 0), 100) << seconds;
    for (const std::int64_t seconds : {2969, 3060})
        EXPECT_FALSE(totp_match(rfc_secret, code, at(seconds), 0)) << seconds;
    EXPECT_FALSE(totp_match(rfc_secret, code, at(3000), 100));
    EXPECT_FALSE(totp_match(rfc_secret, "", at(3000), 0));
    EXPECT_FALSE(totp_match(rfc_secret, code + "0", at(3000), 0));
}

TEST(Totp, IsReadByAuthenticators) {
    EXPECT_EQ(base32("foobar"), "MZXW6YTBOI");  // RFC 4648, 10
    EXPECT_EQ(base32("foob"), "MZXW6YQ");
    EXPECT_EQ(base32(""), "");
    EXPECT_EQ(
        totp_uri("foobar", "ann+a@example.com"),
        "otpauth://totp/Rootstock:ann%2Ba%40example.com?secret=MZXW6YTBOI&issuer=Rootstock&algorithm=SHA1&digits=6"
        "&period=30");
}

class SecondFactorTest : public testing::Test {
protected:
    template <typename Work>
    auto write(Work work) {
        return database_->write_now(std::move(work)).value();
    }
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-factor-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        database_ = std::move(store::Database::open(folder_ / "records.db", migrations()).value());
        ann_ =
            write([](store::Session& session) { return create_person(session, "ann@example.com", "Ann", {}, at(1)); });
    }
    void TearDown() override {
        database_.reset();
        std::filesystem::remove_all(folder_);
    }
    Result<void> pass(const std::optional<std::string>& code, std::int64_t seconds) {
        return database_->write_now(
            [&](store::Session& session) { return pass_second_factor(session, derive_, ann_.id, code, at(seconds)); });
    }
    std::string code(std::int64_t seconds, std::int64_t generation = 1) {
        return hotp(totp_secret(derive_, ann_.id, generation), totp_step(at(seconds)));
    }
    SecondFactor factor() {
        return write([&](store::Session& session) -> Result<SecondFactor> { return second_factor(session, ann_.id); });
    }
    void begin() {
        write([&](store::Session& session) { return begin_second_factor(session, ann_.id); });
    }
    Result<std::vector<std::string>> confirm(const std::string& with, std::int64_t seconds) {
        return database_->write_now([&](store::Session& session) {
            return confirm_second_factor(session, derive_, ann_.id, with, at(seconds));
        });
    }

    std::filesystem::path folder_;
    std::unique_ptr<store::Database> database_;
    DeriveSecret derive_ = [](const std::string& purpose) { return sha256_hex(purpose).substr(0, 32); };
    Person ann_;
};

TEST_F(SecondFactorTest, IsAskedForOnlyAfterItsFirstCode) {
    EXPECT_TRUE(pass(std::nullopt, 1000));
    begin();
    EXPECT_FALSE(factor().on);
    EXPECT_TRUE(pass(std::nullopt, 1000));
    EXPECT_EQ(confirm("000000", 1000).error().reason, "code_wrong");
    EXPECT_EQ(confirm(code(1000), 1000)->size(), 10u);
    EXPECT_TRUE(factor().on);
    EXPECT_EQ(pass(std::nullopt, 1000).error().reason, "code_needed");
    EXPECT_EQ(pass(code(1000), 1000).error().reason, "sign_in_refused") << "it opened already";
    EXPECT_TRUE(pass(code(1030), 1030));
    EXPECT_EQ(pass(code(1030), 1031).error().reason, "sign_in_refused");
    EXPECT_EQ(pass("123", 1060).error().reason, "sign_in_refused");
}

TEST_F(SecondFactorTest, ARecoveryCodeOpensOnceHoweverItIsTyped) {
    begin();
    const auto codes = confirm(code(1000), 1000).value();
    std::string lower = codes[3];
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_EQ(lower.size(), 19u);
    EXPECT_TRUE(pass(lower, 2000));
    EXPECT_EQ(pass(codes[3], 2000).error().reason, "sign_in_refused");
    EXPECT_EQ(factor().recovery_codes, 9);
    std::erase(lower, '-');
    const auto kept = database_->read([&](store::Session& session) -> Result<std::int64_t> {
        return session.value<std::int64_t>("SELECT COUNT(*) FROM recovery_code WHERE hash LIKE :a OR hash LIKE :b",
                                           "%" + codes[4] + "%", "%" + lower + "%");
    });
    EXPECT_EQ(*kept, 0);
}

TEST_F(SecondFactorTest, AnotherOneHasAnotherSecret) {
    begin();
    ASSERT_TRUE(confirm(code(1000), 1000));
    const auto again =
        database_->write_now([&](store::Session& session) { return begin_second_factor(session, ann_.id); });
    EXPECT_EQ(again.error().reason, "second_factor_state");
    EXPECT_EQ(confirm(code(1030), 1030).error().reason, "second_factor_state");
    write([&](store::Session& session) -> Result<void> {
        remove_second_factor(session, ann_.id);
        return {};
    });
    EXPECT_TRUE(pass(std::nullopt, 1030));
    EXPECT_EQ(factor().recovery_codes, 0);
    begin();
    EXPECT_EQ(confirm(code(1060), 1060).error().reason, "code_wrong") << "the old authenticator's";
    EXPECT_TRUE(confirm(code(1060, 2), 1060));
}

}  // namespace
}  // namespace rootstock::tenant
