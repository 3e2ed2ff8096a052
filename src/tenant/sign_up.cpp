#include "tenant/sign_up.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "tenant/people.h"
#include "tenant/tenant.h"

namespace rootstock::tenant {
namespace {

constexpr std::size_t called_max = 200;
constexpr std::size_t name_part_max = 40;  // of a tenant's name, before what makes it its own
constexpr std::size_t suffix_digits = 6;

std::string keyed(const DeriveSecret& derive, const std::string& purpose, std::string_view text) {
    const auto key = derive(purpose);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    ROOTSTOCK_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size),
                    "HMAC does not work");
    constexpr const char* digits = "0123456789abcdef";
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
        hex += digits[digest[i] >> 4U];
        hex += digits[digest[i] & 15U];
    }
    return hex;
}

std::string owner_of(const DeriveSecret& derive, std::string_view email) {
    return keyed(derive, "sign-up owner", owner_address(email));
}

std::string signature_of(const DeriveSecret& derive, std::string_view id) { return keyed(derive, "sign-up link", id); }

std::unexpected<Error> none() {
    return fail(ErrorCode::not_found, "there is no such sign-up, or its link was used or is too old: ask for another",
                "token", "sign_up_not_found");
}

// The id of a token with a right signature; nothing is looked up for any other.
std::optional<std::string> signed_id(const DeriveSecret& derive, std::string_view token) {
    const auto dot = token.find('.');
    if (dot == std::string_view::npos || token.size() > 200) return std::nullopt;
    const auto id = token.substr(0, dot), given = token.substr(dot + 1);
    const auto right = signature_of(derive, id);
    if (given.size() != right.size() || CRYPTO_memcmp(given.data(), right.data(), right.size()) != 0)
        return std::nullopt;
    return std::string(id);
}

bool had_trial(store::Session& session, const std::string& owner) {
    return session.value<std::int64_t>("SELECT COUNT(*) FROM trial_owner WHERE owner = :owner", owner) > 0;
}

}  // namespace

std::string owner_address(std::string_view email) {
    const auto at = email.rfind('@');
    if (at == std::string_view::npos) return std::string(email);
    std::string box(email.substr(0, at)), domain(email.substr(at + 1));
    std::ranges::transform(box, box.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    std::ranges::transform(domain, domain.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    if (const auto plus = box.find('+'); plus != std::string::npos && plus > 0) box.resize(plus);
    if (domain == "googlemail.com") domain = "gmail.com";
    if (domain == "gmail.com") std::erase(box, '.');
    return box + "@" + domain;
}

Result<std::optional<BegunSignUp>> begin_sign_up(store::Session& session, const DeriveSecret& derive, SignUp wish,
                                                 Timestamp now) {
    ROOTSTOCK_TRY(address, read_email(wish.email));
    if (wish.name.empty() || wish.name.size() > called_max)
        return fail(ErrorCode::invalid_argument, "a name has 1 to 200 bytes", "name");
    wish.email = address;
    const auto owner = owner_of(derive, address);
    const std::chrono::microseconds pause = sign_up_pause, lasts = sign_up_lasts;
    session.execute("DELETE FROM sign_up WHERE expires_at < :now AND used_at IS NULL", now);
    const auto lately =
        session.value<std::int64_t>("SELECT COUNT(*) FROM sign_up WHERE owner = :owner AND created_at > :since", owner,
                                    Timestamp{now.micros - pause.count()});
    if (lately > 0) return std::optional<BegunSignUp>();
    wish.id = mint_id("sgn", now);
    wish.expires = {now.micros + lasts.count()};
    session.execute(
        "INSERT INTO sign_up (id, owner, email, name, plan_code, coupon, referral, language, created_at, expires_at) "
        "VALUES (:id, :owner, :email, :name, :plan, :coupon, :referral, :language, :now, :expires)",
        wish.id, owner, wish.email, wish.name, wish.plan, wish.coupon, wish.referral, wish.language, now, wish.expires);
    const bool known = had_trial(session, owner);
    return std::optional<BegunSignUp>({wish, wish.id + "." + signature_of(derive, wish.id), known});
}

Result<SignUp> find_sign_up(store::Session& session, const DeriveSecret& derive, std::string_view token,
                            Timestamp now) {
    const auto id = signed_id(derive, token);
    if (!id) return none();
    auto row = session.first<std::string, std::string, std::string, std::string, std::string, std::string, std::string,
                             std::string, Timestamp>(
        "SELECT id, email, name, plan_code, coupon, referral, language, owner, expires_at FROM sign_up WHERE id = :id "
        "AND used_at IS NULL AND expires_at > :now",
        *id, now);
    if (!row || had_trial(session, std::get<7>(*row))) return none();
    auto& [found, email, name, plan, coupon, referral, language, owner, expires] = *row;
    return SignUp{found, email, name, plan, coupon, referral, language, expires};
}

Result<SignUp> take_sign_up(store::Session& session, const DeriveSecret& derive, std::string_view token,
                            const TenantId& tenant, Timestamp now) {
    ROOTSTOCK_TRY(wish, find_sign_up(session, derive, token, now));
    const auto first = session.execute(
        "INSERT INTO trial_owner (owner, tenant_id, confirmed_at) VALUES (:owner, :tenant, :now) ON CONFLICT (owner) "
        "DO NOTHING",
        owner_of(derive, wish.email), tenant, now);
    if (first == 0) return none();
    // Who has the token reads the mail of that address.
    session.execute("UPDATE person SET confirmed_at = :now WHERE email = :email AND confirmed_at IS NULL", now,
                    wish.email);
    session.execute("UPDATE sign_up SET used_at = :now, email = '', name = '' WHERE id = :id", now, wish.id);
    return std::move(wish);
}

std::string free_tenant_name(store::Session& session, std::string_view called) {
    std::string name;
    for (char c : called) {
        const bool small = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (small)
            name += c;
        else if (c >= 'A' && c <= 'Z')
            name += static_cast<char>(c - 'A' + 'a');
        else if (!name.empty() && name.back() != '-')
            name += '-';
        if (name.size() == name_part_max) break;
    }
    while (!name.empty() && name.back() == '-') name.pop_back();
    const bool plain = !name.empty();
    if (!plain) name = "customer";
    if (plain && !find(session, name)) return name;
    name += '-';
    for (char c : secret_base62(suffix_digits)) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return name;
}

}  // namespace rootstock::tenant
