#include "tenant/tenant.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "store/test_store.h"
#include "tenant/secret.h"

namespace rootstock::tenant {
namespace {

using namespace std::chrono_literals;

class TenantTest : public ::testing::Test {
protected:
    TenantTest() { database_ = std::move(store::Database::open(store_.where(), migrations()).value()); }
    Result<Tenant> make(std::string_view name) {
        return database_->write_now([&](store::Session& session) { return create(session, name, clock_.now()); });
    }
    Result<NewKey> key_for(const TenantId& tenant, std::optional<Timestamp> expires = {}) {
        return database_->write_now(
            [&](store::Session& session) { return create_key(session, tenant, "laptop", expires, clock_.now()); });
    }
    Result<Caller> call(std::string_view key) {
        return database_->read([&](store::Session& session) { return authenticate(session, key, clock_.now()); });
    }
    store::TestStore store_;
    ManualClock clock_{Timestamp{1'800'000'000'000'000}};
    std::unique_ptr<store::Database> database_;
};

TEST_F(TenantTest, NamesAreUniqueAndShaped) {
    ASSERT_TRUE(make("acme"));
    EXPECT_EQ(make("acme").error().code, ErrorCode::already_exists);
    for (const char* bad : {"", "-x", "a b", "a/b", "名字", "a\nb"})
        EXPECT_EQ(make(bad).error().code, ErrorCode::invalid_argument) << bad;
    EXPECT_EQ(make(std::string(64, 'a')).error().code, ErrorCode::invalid_argument);
    ASSERT_TRUE(make("Beta-2.x"));
    const auto all = database_->read([](store::Session& s) -> Result<std::vector<Tenant>> { return list(s); }).value();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].name, "acme");
}

TEST_F(TenantTest, FoundByNameAndById) {
    const auto tenant = make("acme").value();
    const auto found = [&](std::string_view what) {
        return database_->read([&](store::Session& session) { return find(session, what); });
    };
    EXPECT_EQ(found("acme").value().id, tenant.id);
    EXPECT_EQ(found(tenant.id.text()).value().name, "acme");
    EXPECT_EQ(found("nobody").error().reason, "tenant_not_found");
}

TEST(Secret, TheChecksumIsCrc32InBase62) {
    // CRC-32 of "123456789" is 0xCBF43926 = 3421780262, the check value of the standard.
    EXPECT_EQ(checksum("123456789"), "3jZRME");
}

TEST(Secret, KeysAreWellFormedAndDiffer) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto key = mint_secret();
        EXPECT_EQ(key.size(), 58U);
        EXPECT_TRUE(well_formed(key));
        seen.insert(key);
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Secret, EverySingleMistakeIsSeen) {
    const auto key = mint_secret();
    for (std::size_t i = 0; i < key.size(); ++i) {
        auto wrong = key;
        wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(well_formed(wrong)) << i;
        EXPECT_FALSE(well_formed(key.substr(0, i)));
    }
    EXPECT_FALSE(well_formed(key + "0"));
}

TEST_F(TenantTest, AKeyOpensItsTenantAndNoOther) {
    const auto acme = make("acme").value(), beta = make("beta").value();
    const auto key = key_for(acme.id).value();
    EXPECT_EQ(call(key.secret).value().tenant, acme.id);
    EXPECT_EQ(call(key.secret).value().tenant_name, "acme");
    EXPECT_EQ(call(key_for(beta.id).value().secret).value().tenant, beta.id);
    EXPECT_EQ(key.key.prefix, key.secret.substr(0, 17));
    EXPECT_EQ(key_for(TenantId("ten_missing")).error().reason, "tenant_not_found");
}

TEST_F(TenantTest, UnknownMistypedAndExpiredKeysSoundTheSame) {
    const auto acme = make("acme").value();
    const auto key = key_for(acme.id, Timestamp{clock_.now().micros + 1'000'000}).value();
    ASSERT_TRUE(call(key.secret));
    clock_.advance(1s);
    const auto expired = call(key.secret).error(), unknown = call(mint_secret()).error(), rubbish = call("hi").error();
    for (const auto& error : {expired, unknown, rubbish}) {
        EXPECT_EQ(error.code, ErrorCode::unauthenticated);
        EXPECT_EQ(error.reason, "invalid_api_key");
        EXPECT_EQ(error.message, unknown.message);
    }
    EXPECT_EQ(key_for(acme.id, clock_.now()).error().param, "expires");
}

TEST_F(TenantTest, ARevokedKeyIsRefusedAtOnceAndForGood) {
    const auto acme = make("acme").value();
    const auto by_id = key_for(acme.id).value(), by_prefix = key_for(acme.id).value(), kept = key_for(acme.id).value();
    const auto revoke = [&](std::string_view which) {
        return database_->write_now([&](store::Session& session) { return revoke_key(session, which, clock_.now()); });
    };
    ASSERT_TRUE(call(by_id.secret));
    const auto first = revoke(by_id.key.id.text()).value().revoked;
    ASSERT_TRUE(revoke(by_prefix.key.prefix));
    EXPECT_EQ(call(by_id.secret).error().reason, "revoked");
    EXPECT_EQ(call(by_prefix.secret).error().reason, "revoked");
    EXPECT_EQ(call(by_id.secret).error().message, call(mint_secret()).error().message);
    EXPECT_TRUE(call(kept.secret));
    clock_.advance(5s);
    EXPECT_EQ(revoke(by_id.key.id.text()).value().revoked, first) << "the first instant stays";
    EXPECT_EQ(revoke("rsk_live_nothing1").error().reason, "key_not_found");
    const auto keys =
        database_->read([&](store::Session& s) -> Result<std::vector<ApiKey>> { return list_keys(s, acme.id); })
            .value();
    ASSERT_EQ(keys.size(), 3U);
    EXPECT_EQ(std::ranges::count_if(keys, [](const ApiKey& key) { return key.revoked.has_value(); }), 2);
}

TEST_F(TenantTest, ASuspendedTenantIsRefused) {
    const auto acme = make("acme").value();
    const auto key = key_for(acme.id).value();
    const auto set = [&](Status status) {
        return database_->write_now([&](store::Session& session) { return set_status(session, acme.id, status); });
    };
    ASSERT_TRUE(set(Status::suspended));
    EXPECT_EQ(call(key.secret).error().code, ErrorCode::permission_denied);
    ASSERT_TRUE(set(Status::active));
    EXPECT_TRUE(call(key.secret));
}

TEST_F(TenantTest, LimitsComeWithTheCaller) {
    const auto acme = make("acme").value();
    const Limits narrow{.requests_per_minute = 60, .tokens_per_minute = 1000, .parallel = 2}, wide{.parallel = 10};
    const auto key = database_
                         ->write_now([&](store::Session& session) {
                             return create_key(session, acme.id, "", {}, clock_.now(), narrow);
                         })
                         .value();
    EXPECT_EQ(call(key.secret).value().key_limits, narrow);
    EXPECT_EQ(call(key.secret).value().tenant_limits, Limits{});
    auto changed = database_->write_now([&](store::Session& session) { return set_limits(session, acme.id, wide); });
    EXPECT_EQ(changed.value().limits, wide);
    auto freed =
        database_->write_now([&](store::Session& session) { return set_key_limits(session, key.key.prefix, {}); });
    EXPECT_EQ(freed.value().limits, Limits{});
    EXPECT_EQ(call(key.secret).value().key_limits, Limits{});
    EXPECT_EQ(call(key.secret).value().tenant_limits, wide);
    auto wrong = database_->write_now(
        [&](store::Session& session) { return set_key_limits(session, key.key.prefix, {.parallel = 0}); });
    EXPECT_EQ(wrong.error().code, ErrorCode::invalid_argument);
    auto unknown = database_->write_now([&](store::Session& session) { return set_key_limits(session, "none", {}); });
    EXPECT_EQ(unknown.error().reason, "key_not_found");
}

TEST_F(TenantTest, ModelsOfAKeyAreMeantByNameVersionOrBeginning) {
    const KeyModels some{"support", "fraud@2", "ft:encoder:acme:*"};
    for (const auto* name : {"support", "support@1", "support@12", "fraud@2", "ft:encoder:acme::x"})
        EXPECT_TRUE(may_ask(some, name)) << name;
    for (const auto* name : {"supporter", "fraud", "fraud@22", "ft:encoder:umbra::x", "", "suppor"})
        EXPECT_FALSE(may_ask(some, name)) << name;
    EXPECT_TRUE(may_ask({}, "anything"));
    EXPECT_TRUE(check_may_ask(some, "0123abcd", "support")) << "by another name of what it may ask";
    const auto refused = check_may_ask(some, "secret", "secret@1");
    EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
    EXPECT_EQ(refused.error().reason, "model_not_allowed");
}

TEST_F(TenantTest, ModelsComeWithTheCallerAndWithARotation) {
    const auto acme = make("acme").value();
    const auto make_key = [&](const KeyModels& models) {
        return database_->write_now([&](store::Session& session) {
            return create_key(session, acme.id, "", {}, clock_.now(), {}, {}, {}, models);
        });
    };
    const auto key = make_key({"support", "fraud", "support"}).value();
    EXPECT_EQ(call(key.secret).value().models, (KeyModels{"fraud", "support"}));
    const auto next = database_
                          ->write_now([&](store::Session& session) {
                              return rotate_key(session, key.key, std::chrono::seconds(60), clock_.now());
                          })
                          .value();
    EXPECT_EQ(call(next.secret).value().models, (KeyModels{"fraud", "support"}));
    auto freed =
        database_->write_now([&](store::Session& session) { return set_key_models(session, next.key.prefix, {}); });
    EXPECT_EQ(freed.value().version, next.key.version + 1);
    EXPECT_TRUE(call(next.secret).value().models.empty());
    for (const auto* wrong : {"two words", "*a", "", "a\nb"})
        EXPECT_EQ(make_key({wrong}).error().param, "models") << wrong;
    EXPECT_EQ(make_key(KeyModels(65, "m")).value().key.models.size(), 1U);
}

TEST_F(TenantTest, TheSecretIsNowhereOnDisk) {
    const auto key = key_for(make("acme").value().id).value();
    const auto secret = key.secret.substr(key.key.prefix.size());
    for (const auto& entry : std::filesystem::directory_iterator(store_.folder())) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)), {});
        EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
    }
}

}  // namespace
}  // namespace rootstock::tenant
