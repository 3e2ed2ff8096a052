#pragma once
// What the routes that ask for a person's password have in common.

#include <optional>
#include <string>

#include "app/pipeline/steps.h"
#include "app/routes/management.h"

namespace rootstock {

inline constexpr int passwords_waiting_max = 16;

// Hashing waits its turn on a thread of its own; where many wait already, more are sent away.
template <typename Work>
Task<Result<std::invoke_result_t<Work&>>> on_passwords(Exchange& exchange, Work work) {
    auto& services = exchange.services;
    if (services.passwords_waiting >= passwords_waiting_max)
        co_return fail(ErrorCode::overloaded, "too many sign in just now: come back in a moment");
    ++services.passwords_waiting;
    auto done = co_await run_on(services.passwords, std::move(work));
    --services.passwords_waiting;
    co_return std::move(done);
}

struct KnownPerson {
    std::optional<tenant::Person> person;
    std::optional<std::string> hash;
};
Result<KnownPerson> known_person(Exchange& exchange, const std::string& email);

// 429 says when; Retry-After is at most 61 s as everywhere, and whoever comes back too early waits on.
std::unexpected<Error> too_often(double seconds);

// The password of the person who is signed in, before what a stolen session must not do. permission_denied, reason
// "password_wrong"; wrong ones count like those at sign-in.
Task<Result<void>> prove_password(Exchange& exchange, const std::string& password);

// Secrets of second factors, from the server's own key.
tenant::DeriveSecret deriving(const Services& services);

}  // namespace rootstock
