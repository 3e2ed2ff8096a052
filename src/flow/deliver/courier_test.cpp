#include "flow/deliver/courier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "flow/deliver/letters.h"

namespace rootstock {
namespace {

TEST(Smtp, NoValueAddsAHeaderAndNoLineIsTooLong) {
    const SmtpSettings settings{"smtp://mail.example.com", "house@example.com", "", ""};
    const outbox::Letter letter{"ada@example.com", "账单账单账单账单账单账单账单账单\r\nBcc: all@example.com",
                                std::string(500, 'x')};
    const auto text = message_of(settings, letter, "ltr_1", Timestamp{1'795'000'000'000'000});
    EXPECT_EQ(text.find("Bcc"), std::string::npos);
    EXPECT_NE(text.find("Date: Wed, 18 Nov 2026 "), std::string::npos) << text;
    EXPECT_NE(text.find("Message-ID: <ltr_1@example.com>\r\n"), std::string::npos);
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find("\r\n", at);
        ASSERT_NE(end, std::string::npos);
        EXPECT_LE(end - at, 100u);
        at = end + 2;
    }
}

TEST(Smtp, SettingsAreHeld) {
    EXPECT_TRUE(check_smtp({}));
    EXPECT_TRUE(check_smtp({"smtps://mail.example.com", "a@example.com", "", ""}));
    EXPECT_FALSE(check_smtp({"http://mail.example.com", "a@example.com", "", ""}));
    EXPECT_FALSE(check_smtp({"smtp://mail.example.com", "", "", ""}));
    EXPECT_FALSE(check_smtp({"smtp://mail.example.com", "a@example.com>\r\nX: y", "", ""}));
}

TEST(Letters, SayWhatTheyAreAboutInBothLanguages) {
    for (auto language : {letters::Language::english, letters::Language::chinese}) {
        const letters::Bill bill{"ada@example.com", "acme", "INV-000017", "12.35", "USD", "2026-12-10"};
        for (const auto& letter : {letters::invoice(language, bill), letters::reminder(language, bill, 2)}) {
            EXPECT_EQ(letter.to, "ada@example.com");
            EXPECT_NE(letter.subject.find("INV-000017"), std::string::npos);
            EXPECT_NE(letter.text.find("12.35 USD"), std::string::npos);
            EXPECT_NE(letter.text.find("2026-12-10"), std::string::npos);
        }
        const auto invited = letters::invitation(language, {"a@b.c", "acme", "auditor", "TOKEN", Timestamp{0}});
        EXPECT_NE(invited.text.find("TOKEN"), std::string::npos);
        EXPECT_EQ(invited.subject.find("TOKEN"), std::string::npos);
        EXPECT_NE(letters::confirmation(language, {"a@b.c", "TOKEN", Timestamp{0}}).text.find("TOKEN"),
                  std::string::npos);
    }
    EXPECT_NE(letters::invoice(letters::Language::english, {}).text,
              letters::invoice(letters::Language::chinese, {}).text);
}

TEST(Courier, SendsWhatIsDueWritesDownHowItWentAndStops) {
    std::string name = (std::filesystem::temp_directory_path() / "rootstock-courier-XXXXXX").string();
    const std::filesystem::path folder = ::mkdtemp(name.data());
    {
        auto vault = outbox::Vault::open(folder / "secret.key").value();
        auto records = store::Database::open(folder / "records.db", outbox::migrations()).value();
        ManualClock clock(Timestamp{1'795'000'000'000'000});
        const TenantId acme("ten_acme");
        records
            ->write_now([&](store::Session& session) -> Result<void> {
                // Nobody listens on the first; the second may not be reached at all.
                ROOTSTOCK_CHECKED(outbox::add_endpoint(session, acme, "http://127.0.0.1:9/in", {}, clock.now()));
                ROOTSTOCK_CHECKED(outbox::add_endpoint(session, acme, "http://127.0.0.2:9/in", {}, clock.now()));
                outbox::announce(session, acme, "payment.succeeded", {}, clock.now());
                outbox::post_letter(session, vault, acme, "test", {"ada@example.com", "Hello", "text"}, clock.now());
                return {};
            })
            .value();
        std::atomic<int> errands = 0;
        CourierSettings settings;
        settings.webhooks.allowed = {"127.0.0.1"};
        settings.smtp = {"smtp://127.0.0.1:9", "house@example.com", "", ""};
        Courier courier(*records, clock, vault, settings, [&] { ++errands; });
        auto errors = [&] {
            return records
                ->read([](store::Session& session) -> Result<std::vector<std::string>> {
                    std::vector<std::string> all;
                    for (auto& [error] : session.query<std::string>(
                             "SELECT last_error FROM webhook_delivery WHERE last_error <> '' ORDER BY id"))
                        all.push_back(error);
                    for (auto& [error] :
                         session.query<std::string>("SELECT last_error FROM letter WHERE last_error <> ''"))
                        all.push_back(error);
                    return all;
                })
                .value();
        };
        for (int i = 0; i < 600 && errors().size() < 3; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        courier.stop();
        const auto seen = errors();
        ASSERT_EQ(seen.size(), 3u);
        EXPECT_NE((seen[0] + seen[1]).find("public addresses"), std::string::npos) << seen[0] << seen[1];
        EXPECT_EQ(errands, 1);
    }
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rootstock
