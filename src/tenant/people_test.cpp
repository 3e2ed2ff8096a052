#include <gtest/gtest.h>

#include "tenant/tenant.h"

namespace rootstock::tenant {
namespace {

TEST(Password, IsArgon2idAndKnowsItself) {
    const auto hash = hash_password("correct horse battery");
    EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
    EXPECT_TRUE(right_password(hash, "correct horse battery"));
    EXPECT_FALSE(right_password(hash, "correct horse batterx"));
    EXPECT_NE(hash, hash_password("correct horse battery"));
    EXPECT_FALSE(right_password(std::nullopt, "anything at all"));
    EXPECT_FALSE(check_password("elevenbytes"));
    EXPECT_TRUE(check_password("twelve bytes"));
}

TEST(Attempts, TenFailuresOfAPairWaitAndTwiceAsLongTheNextTime) {
    Attempts attempts;
    double now = 1000;
    for (int round = 0, penalty = 60; round < 3; ++round, penalty *= 2) {
        for (int i = 0; i < 9; ++i) attempts.failed("10.0.0.1", "ann", now);
        EXPECT_EQ(attempts.seconds_to_wait("10.0.0.1", "ann", now), 0);
        attempts.failed("10.0.0.1", "ann", now);
        EXPECT_EQ(attempts.seconds_to_wait("10.0.0.1", "ann", now), penalty);
        EXPECT_EQ(attempts.seconds_to_wait("10.0.0.2", "ann", now), 0) << "her own address is not locked out";
        EXPECT_EQ(attempts.seconds_to_wait("10.0.0.1", "bob", now), 0);
        now += penalty;
        EXPECT_EQ(attempts.seconds_to_wait("10.0.0.1", "ann", now), 0);
    }
}

TEST(Attempts, NineAMinuteNeverWaitAndSuccessForgets) {
    Attempts attempts;
    for (int minute = 0; minute < 5; ++minute)
        for (int i = 0; i < 9; ++i) attempts.failed("a" + std::to_string(minute), "ann", minute * 61.0);
    attempts.failed("a4", "ann", 4 * 61.0 + 61);
    EXPECT_EQ(attempts.seconds_to_wait("a4", "ann", 4 * 61.0 + 61), 0);
    for (int i = 0; i < 9; ++i) attempts.failed("b", "ann", 500);
    attempts.succeeded("b", "ann");
    attempts.failed("b", "ann", 500);
    EXPECT_EQ(attempts.seconds_to_wait("b", "ann", 500), 0);
}

TEST(Attempts, AnAddressThatTriesManyAccountsWaits) {
    Attempts attempts;
    for (int i = 0; i < 50; ++i) attempts.failed("10.0.0.1", "account" + std::to_string(i), 7);
    EXPECT_EQ(attempts.seconds_to_wait("10.0.0.1", "somebody", 7), 60);
    EXPECT_EQ(attempts.seconds_to_wait("10.0.0.2", "somebody", 7), 0);
}

TEST(Networks, AreReadStrictlyAndHoldTheirAddresses) {
    EXPECT_EQ(join_networks({"10.0.0.0/8", "2001:DB8::/32", "192.0.2.7"}).value(),
              "10.0.0.0/8 2001:db8::/32 192.0.2.7/32");
    for (const char* wrong : {"", "x", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "::1/0",
                              "2001:db8::1/32", "010.0.0.0/8", "10.0/8"})
        EXPECT_FALSE(join_networks({wrong})) << wrong;
    EXPECT_TRUE(within("10.0.0.0/8 2001:db8::/32", "10.255.0.1"));
    EXPECT_TRUE(within("10.0.0.0/8 2001:db8::/32", "2001:db8:ffff::1"));
    EXPECT_FALSE(within("10.0.0.0/8 2001:db8::/32", "11.0.0.1"));
    EXPECT_FALSE(within("10.0.0.0/8 2001:db8::/32", "2001:db9::1"));
    EXPECT_FALSE(within("10.0.0.0/8", "no address"));
    EXPECT_TRUE(within("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(within("0.0.0.0/0", "::1"));
    EXPECT_TRUE(within("", "anything"));
}

TEST(Scopes, WithoutAnyAKeyCallsModelsAndManagesNothing) {
    EXPECT_TRUE(holds({}, "predictions"));
    EXPECT_FALSE(holds({}, "keys:read"));
    EXPECT_TRUE(holds({"keys:read"}, "keys:read"));
    EXPECT_FALSE(holds({"keys:read"}, "predictions"));
    EXPECT_EQ(join_scopes({"models", "keys:read", "models"}).value(), "keys:read models");
    EXPECT_EQ(split_scopes("keys:read models"), (Scopes{"keys:read", "models"}));
    for (const char* wrong : {"", "a b", "A", ":a", "a:", "a:b:c", "\xc3\xa9"})
        EXPECT_FALSE(join_scopes({wrong})) << wrong;
}

TEST(Email, IsShapedAndInLowerCase) {
    EXPECT_EQ(read_email("Ann@Example.COM").value(), "ann@example.com");
    for (const char* wrong : {"", "ann", "@x", "ann@", "a@b@c", "a b@c", "a@b\r\nBcc: x"})
        EXPECT_FALSE(read_email(wrong));
}

}  // namespace
}  // namespace rootstock::tenant
