#include "tenant/second_factor.h"

#include <array>
#include <cctype>

#include "tenant/totp.h"

namespace rootstock::tenant {
namespace {

constexpr int recovery_codes = 10;
constexpr std::size_t recovery_bytes = 10;  // 16 letters

// As people type them: in groups, in either case.
std::string plain(std::string_view code) {
    std::string letters;
    for (const char c : code)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            letters += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return letters;
}

std::string grouped(const std::string& letters) {
    std::string text;
    for (std::size_t at = 0; at < letters.size(); at += 4) text += (at > 0 ? "-" : "") + letters.substr(at, 4);
    return text;
}

std::string hash_of(const PersonId& person, std::string_view code) {
    return sha256_hex(person.text() + " " + plain(code));
}

std::string new_recovery_code() {
    std::array<std::uint8_t, recovery_bytes> bytes{};
    fill_secret_bytes(bytes);
    return base32({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::unexpected<Error> state(const char* sentence) {
    return fail(ErrorCode::conflict, sentence, {}, "second_factor_state");
}

// The code of the authenticator or, once, one of the recovery codes.
bool spend(store::Session& session, const DeriveSecret& derive, const PersonId& person, std::string_view code,
           Timestamp now) {
    const auto row = session.first<std::int64_t, std::int64_t>(
        "SELECT generation, last_step FROM second_factor WHERE person_id = :person", person);
    if (!row) return false;
    const auto [generation, last] = *row;
    if (const auto step = totp_match(totp_secret(derive, person, generation), code, now, last))
        return session.execute(
                   "UPDATE second_factor SET last_step = :step WHERE person_id = :person AND last_step < :before",
                   *step, person, *step) == 1;
    return session.execute(
               "UPDATE recovery_code SET used_at = :now WHERE person_id = :person AND hash = :hash AND used_at IS NULL",
               now, person, hash_of(person, code)) == 1;
}

}  // namespace

SecondFactor second_factor(store::Session& session, const PersonId& person) {
    const auto row = session.first<std::int64_t, std::optional<Timestamp>>(
        "SELECT generation, confirmed_at FROM second_factor WHERE person_id = :person", person);
    if (!row) return {};
    const auto& [generation, confirmed] = *row;
    const auto left = session.value<std::int64_t>(
        "SELECT COUNT(*) FROM recovery_code WHERE person_id = :person AND used_at IS NULL", person);
    return {confirmed.has_value(), generation, left};
}

std::string totp_secret(const DeriveSecret& derive, const PersonId& person, std::int64_t generation) {
    return derive("second factor " + person.text() + " " + std::to_string(generation)).substr(0, totp_secret_bytes);
}

Result<SecondFactor> begin_second_factor(store::Session& session, const PersonId& person) {
    if (second_factor(session, person).on)
        return state("there is a second factor already: remove it before you set up another");
    session.execute(
        "INSERT INTO second_factor (person_id, generation) VALUES (:person, 1) "
        "ON CONFLICT (person_id) DO UPDATE SET generation = second_factor.generation + 1, last_step = 0",
        person);
    return second_factor(session, person);
}

Result<std::vector<std::string>> confirm_second_factor(store::Session& session, const DeriveSecret& derive,
                                                       const PersonId& person, std::string_view code, Timestamp now) {
    const auto factor = second_factor(session, person);
    if (factor.on) return state("the second factor is on already");
    if (factor.generation == 0) return state("no second factor was begun: ask for its secret first");
    if (!spend(session, derive, person, code, now))
        return fail(ErrorCode::permission_denied,
                    "this is not the authenticator's code of just now: wait for the next one and try it", "code",
                    "code_wrong");
    session.execute("UPDATE second_factor SET confirmed_at = :now WHERE person_id = :person", now, person);
    std::vector<std::string> made;
    for (int i = 0; i < recovery_codes; ++i) {
        const auto one = new_recovery_code();
        session.execute("INSERT INTO recovery_code (person_id, hash) VALUES (:person, :hash)", person,
                        hash_of(person, one));
        made.push_back(grouped(one));
    }
    return made;
}

Result<void> pass_second_factor(store::Session& session, const DeriveSecret& derive, const PersonId& person,
                                const std::optional<std::string>& code, Timestamp now) {
    if (!second_factor(session, person).on) return {};
    if (!code)
        return fail(ErrorCode::unauthenticated,
                    "the authenticator's code is needed: send it as 'code' beside the password", "code", "code_needed");
    if (spend(session, derive, person, *code, now)) return {};
    return fail(ErrorCode::unauthenticated, "the code is wrong or was used already", "code", "sign_in_refused");
}

void remove_second_factor(store::Session& session, const PersonId& person) {
    session.execute("DELETE FROM recovery_code WHERE person_id = :person", person);
    session.execute("UPDATE second_factor SET confirmed_at = NULL WHERE person_id = :person", person);
}

}  // namespace rootstock::tenant
