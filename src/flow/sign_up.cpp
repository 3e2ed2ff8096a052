#include "flow/sign_up.h"

#include "flow/bill.h"

namespace rootstock::signup {
namespace {

tenant::DeriveSecret deriving(const outbox::Vault& vault) {
    return [&vault](const std::string& purpose) { return vault.derive(purpose); };
}

Result<ledger::Plan> plan_with_trial(store::Session& session, const std::string& code) {
    ROOTSTOCK_TRY(plan, ledger::find_plan(session, code));
    if (ledger::find_offer(session, code) && plan.trial_days > 0) return std::move(plan);
    return fail(ErrorCode::not_found, "there is no plan '" + code + "' with a trial on offer", "plan",
                "plan_not_found");
}

Result<tenant::Person> owner_of(store::Session& session, const tenant::SignUp& wish, const std::string& password_hash,
                                Timestamp now) {
    auto person = tenant::find_person(session, wish.email);
    if (person) return std::move(*person);
    return tenant::create_person(session, wish.email, wish.name, password_hash, now);
}

bool brings_himself(store::Session& session, const tenant::SignUp& wish) {
    auto partner = ledger::find_partner(session, wish.referral);
    return partner && tenant::owner_address(partner->email) == tenant::owner_address(wish.email);
}

// What came along with the wish: without it the trial begins all the same.
void add_codes(store::Session& session, const tenant::SignUp& wish, const TenantId& tenant, Timestamp now) {
    if (!wish.referral.empty() && !brings_himself(session, wish)) {
        auto attributed = ledger::attribute(session, tenant, wish.referral, wish.email, "sign-up", now);
        if (!attributed) spdlog::info("a sign-up's partner code is not counted: {}", attributed.error().reason);
    }
    if (wish.coupon.empty()) return;
    auto redeemed = ledger::redeem(session, tenant, wish.coupon, now);
    if (!redeemed) spdlog::info("a sign-up's coupon is not redeemed: {}", redeemed.error().reason);
}

}  // namespace

Result<void> ask(store::Session& session, const outbox::Vault& vault, tenant::SignUp wish, const std::string& url,
                 Timestamp now) {
    ROOTSTOCK_TRY(plan, plan_with_trial(session, wish.plan));
    ROOTSTOCK_TRY(begun, tenant::begin_sign_up(session, deriving(vault), std::move(wish), now));
    if (!begun) return {};
    const auto& kept = begun->wish;
    const bool chinese = kept.language == "zh";
    const auto language = chinese ? letters::Language::chinese : letters::Language::english;
    const auto letter =
        begun->had_trial
            ? letters::known_already(language, kept.email, url)
            : letters::sign_up(language,
                               {kept.email, kept.name, plan.name.empty() ? plan.code : plan.name,
                                url + (chinese ? "/zh" : "") + "/signup/confirm?token=" + begun->token, kept.expires});
    outbox::post_letter(session, vault, TenantId(), "sign_up", letter, now);
    return {};
}

Result<Welcome> confirm(store::Session& session, const outbox::Vault& vault, const std::string& token,
                        const std::string& password_hash, Timestamp now) {
    const auto derive = deriving(vault);
    ROOTSTOCK_TRY(wish, tenant::find_sign_up(session, derive, token, now));
    ROOTSTOCK_TRY(plan, plan_with_trial(session, wish.plan));
    ROOTSTOCK_TRY(made, tenant::create(session, tenant::free_tenant_name(session, wish.name), now));
    ROOTSTOCK_TRY(person, owner_of(session, wish, password_hash, now));
    ROOTSTOCK_CHECKED(tenant::take_sign_up(session, derive, token, made.id, now));
    ROOTSTOCK_CHECKED(tenant::set_role(session, made.id, person.id, tenant::Role::owner, now));
    ROOTSTOCK_CHECKED(ledger::set_billing_details(
        session, made.id, {.name = wish.name, .email = wish.email, .language = wish.language}, now));
    // A trial is no promise to pay: it ends suspended until somebody makes it payable.
    ROOTSTOCK_TRY(subscription,
                  ledger::subscribe(session, {.tenant = made.id, .plan = plan.code, .payable = false}, now));
    add_codes(session, wish, made.id, now);
    return Welcome{std::move(made), std::move(person), std::move(subscription)};
}

}  // namespace rootstock::signup
