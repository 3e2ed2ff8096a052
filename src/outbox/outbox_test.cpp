#include "outbox/outbox.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

namespace rootstock::outbox {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Mac, GivesThePublishedVectors) {
    // RFC 4231, test cases 1 and 2.
    EXPECT_EQ(lower_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(lower_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64(""), "");
    EXPECT_TRUE(same_secret("abc", "abc"));
    EXPECT_FALSE(same_secret("abc", "abd"));
    EXPECT_FALSE(same_secret("abc", "ab"));
}

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "rootstock-outbox-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

class Outbox : public ::testing::Test {
protected:
    Outbox()
        : vault_(Vault::open(folder_.path / "secret.key").value()),
          database_(store::Database::open(folder_.path / "records.db", migrations()).value()) {}

    template <typename F>
    auto write(F work) {
        return database_->write_now(std::move(work));
    }
    Endpoint add(const TenantId& tenant, std::vector<std::string> events = {}) {
        return write([&](store::Session& session) {
                   return add_endpoint(session, tenant, "https://receiver.example/in", events, clock_.now());
               })
            .value();
    }
    void tell(const TenantId& tenant, const std::string& type) {
        write([&](store::Session& session) -> Result<void> {
            announce(session, tenant, type, {{"id", "inv_1"}}, clock_.now());
            return {};
        }).value();
    }
    std::vector<Parcel> due() {
        return write([&](store::Session& session) -> Result<std::vector<Parcel>> {
                   return take_due(session, 10, seconds(60), clock_.now());
               })
            .value();
    }
    void answered(const Parcel& parcel, int status, const std::string& error = "") {
        write([&](store::Session& session) -> Result<void> {
            record_attempt(session, parcel.delivery, status, error, clock_.now());
            return {};
        }).value();
    }
    Endpoint now_of(const Endpoint& endpoint) {
        return database_
            ->read([&](store::Session& session) { return find_endpoint(session, endpoint.tenant, endpoint.id); })
            .value();
    }
    std::vector<Delivery> deliveries_of(const Endpoint& endpoint) {
        return database_
            ->read([&](store::Session& session) -> Result<std::vector<Delivery>> {
                return list_deliveries(session, endpoint, "", 100);
            })
            .value();
    }

    Folder folder_;
    ManualClock clock_{Timestamp{1'795'000'000'000'000}};
    Vault vault_;
    std::unique_ptr<store::Database> database_;
    const TenantId acme_{"ten_acme"}, beta_{"ten_beta"};
};

TEST_F(Outbox, TheVaultKeepsItsKeyAndSealsForOnePlace) {
    auto again = Vault::open(folder_.path / "secret.key").value();
    const auto sealed = vault_.seal("a token", "ltr_1");
    EXPECT_EQ(sealed.find("token"), std::string::npos);
    EXPECT_NE(sealed, vault_.seal("a token", "ltr_1")) << "a nonce of its own every time";
    EXPECT_EQ(again.unseal(sealed, "ltr_1").value(), "a token");
    EXPECT_FALSE(again.unseal(sealed, "ltr_2"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto broken = sealed;
        broken[i] = broken[i] == '0' ? '1' : '0';
        EXPECT_FALSE(again.unseal(broken, "ltr_1")) << i;
    }
    EXPECT_FALSE(again.unseal("", ""));
    EXPECT_FALSE(again.unseal("zz", ""));
    EXPECT_EQ(std::filesystem::status(folder_.path / "secret.key").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Outbox, AnEventGoesToWhoWantsItAndToTheHouse) {
    auto all = add(acme_), paid = add(acme_, {"invoice.paid"}), other = add(beta_), house = add(TenantId{});
    tell(acme_, "invoice.finalized");
    std::set<std::string> reached;
    for (const auto& parcel : due()) reached.insert(parcel.endpoint.id);
    EXPECT_EQ(reached, (std::set<std::string>{all.id, house.id}));
    EXPECT_TRUE(deliveries_of(other).empty());
    EXPECT_TRUE(deliveries_of(paid).empty());
}

TEST_F(Outbox, NothingIsToldOfAnEffectThatWasUndone) {
    auto endpoint = add(acme_);
    auto undone = write([&](store::Session& session) -> Result<void> {
        announce(session, acme_, "invoice.paid", {}, clock_.now());
        return fail(ErrorCode::conflict, "no");
    });
    EXPECT_FALSE(undone);
    EXPECT_TRUE(due().empty());
}

TEST_F(Outbox, TheSignatureIsThatOfStandardWebhooks) {
    auto endpoint = add(acme_);
    const Timestamp at{1'795'000'000'000'000};
    const auto text = signature_of(vault_, endpoint, "evt_1", at, "{}");
    const auto secret = secret_of(vault_, endpoint.id, 1);
    EXPECT_TRUE(secret.starts_with("whsec_"));
    const auto key = vault_.derive("webhook " + endpoint.id + " 1");
    EXPECT_EQ(secret, "whsec_" + base64(key));
    EXPECT_EQ(text, "v1," + base64(hmac_sha256(key, "evt_1.1795000000.{}")));
    // While a secret changes, both sign; afterwards the new one alone.
    auto rotated = write([&](store::Session& session) { return rotate_secret(session, endpoint, at); }).value();
    const auto both = signature_of(vault_, rotated, "evt_1", at, "{}");
    EXPECT_TRUE(both.ends_with(" " + text));
    clock_.advance(hours(25));
    const auto one = signature_of(vault_, rotated, "evt_1", clock_.now(), "{}");
    EXPECT_EQ(one.find(' '), std::string::npos);
}

TEST_F(Outbox, OneAttemptAtATimeAndARepetitionIsTheSameEvent) {
    auto endpoint = add(acme_);
    tell(acme_, "invoice.paid");
    tell(acme_, "invoice.paid");
    auto first = due();
    ASSERT_EQ(first.size(), 1u) << "one at a time of one endpoint";
    EXPECT_TRUE(due().empty());
    answered(first[0], 500);
    auto second = due();
    ASSERT_EQ(second.size(), 1u);
    EXPECT_NE(second[0].delivery.event, first[0].delivery.event) << "a failing one holds up no other";
    answered(second[0], 200);
    clock_.advance(seconds(5));
    auto again = due();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].delivery.event, first[0].delivery.event);
    EXPECT_EQ(again[0].body, first[0].body);
    EXPECT_EQ(again[0].delivery.attempts, 2);
}

TEST_F(Outbox, AnAttemptWhoseSenderDiedIsMadeAgainAndItsLateEndChangesNothing) {
    auto endpoint = add(acme_);
    tell(acme_, "invoice.paid");
    auto lost = due();
    clock_.advance(seconds(61));
    auto again = due();
    ASSERT_EQ(again.size(), 1u);
    answered(again[0], 204);
    answered(lost[0], 500);
    EXPECT_EQ(deliveries_of(endpoint)[0].state, DeliveryState::delivered);
}

TEST_F(Outbox, ThreeDaysThenTheEndpointIsSwitchedOff) {
    auto endpoint = add(acme_);
    tell(acme_, "invoice.paid");
    const auto begun = clock_.now();
    int attempts = 0;
    Timestamp last{};
    while (!now_of(endpoint).disabled && attempts < 1000) {
        for (const auto& parcel : due()) {
            answered(parcel, 0, "no answer");
            ++attempts;
            last = clock_.now();
        }
        clock_.advance(seconds(5));
    }
    EXPECT_EQ(now_of(endpoint).disabled_why, "three_days");
    EXPECT_GE(attempts, 15);
    EXPECT_LE(attempts, 20);
    EXPECT_GT(last.micros - begun.micros, std::chrono::microseconds(hours(66)).count());
    EXPECT_LE(last.micros - begun.micros, std::chrono::microseconds(hours(72)).count());
    EXPECT_EQ(deliveries_of(endpoint)[0].state, DeliveryState::failed);
    EXPECT_EQ(deliveries_of(endpoint)[0].last_error, "no answer");
    // Nothing is lost while it is off: switched on again it hears what was told meanwhile, and the old one by hand.
    tell(acme_, "job.succeeded");
    EXPECT_TRUE(due().empty());
    auto changed = now_of(endpoint);
    changed.disabled.reset();
    write([&](store::Session& session) { return change_endpoint(session, changed); }).value();
    auto due_now = due();
    ASSERT_EQ(due_now.size(), 1u);
    EXPECT_EQ(due_now[0].delivery.type, "job.succeeded");
    answered(due_now[0], 200);
    const auto failed = deliveries_of(endpoint).back();
    write([&](store::Session& session) { return redeliver(session, acme_, failed.id, clock_.now()); }).value();
    auto once_more = due();
    ASSERT_EQ(once_more.size(), 1u);
    EXPECT_EQ(once_more[0].delivery.event, failed.event);
}

TEST_F(Outbox, WhoIsGoneIsAskedNoMore) {
    auto endpoint = add(acme_);
    tell(acme_, "invoice.paid");
    answered(due()[0], 410);
    EXPECT_EQ(now_of(endpoint).disabled_why, "gone");
    EXPECT_TRUE(due().empty());
}

TEST_F(Outbox, AForeignEndpointSoundsLikeNone) {
    auto endpoint = add(acme_);
    auto foreign = database_->read([&](store::Session& session) { return find_endpoint(session, beta_, endpoint.id); });
    auto missing = database_->read([&](store::Session& session) { return find_endpoint(session, beta_, "whe_0"); });
    ASSERT_FALSE(foreign || missing);
    EXPECT_EQ(foreign.error().message, missing.error().message);
}

TEST(EndpointUrl, RefusesWhatLeadsIntoTheHouse) {
    const http::AddressRule strict{true, {}}, lenient{true, {"127.0.0.1"}};
    EXPECT_TRUE(check_endpoint_url("https://receiver.example/in?a=b", strict));
    EXPECT_TRUE(check_endpoint_url("https://8.8.8.8/in", strict));
    EXPECT_TRUE(check_endpoint_url("http://127.0.0.1:9000/in", lenient));
    for (const char* url :
         {"http://receiver.example/in", "https://127.0.0.1/", "https://localhost/", "https://[::1]/",
          "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://10.0.0.1/", "ftp://a.example/",
          "https://user:pass@a.example/", "", "https://a.example/\r\nHost: b", "https://2130706433/"})
        EXPECT_FALSE(check_endpoint_url(url, strict)) << url;
    EXPECT_FALSE(check_endpoint_url("http://receiver.example/in", lenient));
    EXPECT_FALSE(check_endpoint_url("https://a.example/" + std::string(url_bytes_max, 'x'), strict));
}

TEST_F(Outbox, ALetterIsSealedWhileItWaitsAndWipedWhenItIsGone) {
    write([&](store::Session& session) -> Result<void> {
        post_letter(session, vault_, acme_, "invitation", {"ada@example.com", "Welcome", "token: sesame"},
                    clock_.now());
        return {};
    }).value();
    auto kept = [&] {
        return database_
            ->read([](store::Session& session) -> Result<std::string> {
                return session.value<std::string>("SELECT sealed FROM letter");
            })
            .value();
    };
    auto take = [&] {
        return write([&](store::Session& session) -> Result<std::vector<DueLetter>> {
                   return take_due_letters(session, 10, seconds(60), clock_.now());
               })
            .value();
    };
    auto end = [&](const DueLetter& letter, LetterFate fate) {
        write([&](store::Session& session) -> Result<void> {
            record_letter(session, letter, fate, "", clock_.now());
            return {};
        }).value();
    };
    EXPECT_EQ(kept().find("sesame"), std::string::npos);
    auto due = take();
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(open_letter(vault_, due[0]).value().text, "token: sesame");
    end(due[0], LetterFate::later);
    EXPECT_TRUE(take().empty());
    clock_.advance(minutes(1));
    due = take();
    ASSERT_EQ(due.size(), 1u);
    end(due[0], LetterFate::sent);
    EXPECT_EQ(kept(), "");
    EXPECT_TRUE(take().empty());
}

}  // namespace
}  // namespace rootstock::outbox
