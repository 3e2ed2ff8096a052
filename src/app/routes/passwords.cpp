#include "app/routes/passwords.h"

namespace rootstock {

Result<KnownPerson> known_person(Exchange& exchange, const std::string& email) {
    return exchange.services.records->read([&](store::Session& session) -> Result<KnownPerson> {
        return KnownPerson{tenant::find_person(session, email), tenant::kept_password(session, email)};
    });
}

std::unexpected<Error> too_often(double seconds) {
    return fail(ErrorCode::rate_limited,
                "too many failed tries: wait " + std::to_string(static_cast<std::int64_t>(seconds) + 1) + " s");
}

Task<Result<void>> prove_password(Exchange& exchange, const std::string& password) {
    auto& attempts = exchange.services.attempts;
    const auto& email = exchange.person->person.email;
    const auto address = exchange.request.peer;
    const auto wait = attempts.seconds_to_wait(address, email, monotonic_seconds());
    if (wait > 0) co_return too_often(wait);
    auto known = known_person(exchange, email);
    if (!known) co_return fail(known.error());
    auto check = [&known, &password] { return tenant::right_password(known->hash, password); };
    auto right = co_await on_passwords(exchange, check);
    if (!right) co_return fail(right.error());
    if (*right) co_return Result<void>{};
    attempts.failed(address, email, monotonic_seconds());
    co_return fail(ErrorCode::permission_denied, "the password is another one", "password", "password_wrong");
}

tenant::DeriveSecret deriving(const Services& services) {
    return [&services](const std::string& purpose) { return services.vault->derive(purpose); };
}

}  // namespace rootstock
