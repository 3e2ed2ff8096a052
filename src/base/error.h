#pragma once
// Expected failures as values.
//
// Whatever a caller can cause comes back as an Error: one code from a closed list, and one sentence that says
// what is wrong and what to do about it. What only we can cause is an assertion (see check.h) that stays on in
// release builds. The code decides the HTTP status in exactly one table (app/pipeline/problem.cpp).

#include <expected>
#include <string>
#include <utility>

namespace rootstock {

enum class ErrorCode {
    invalid_argument,    // a value, field, row or file content the caller must mend
    unauthenticated,     // no key, an unknown key, a revoked or expired key
    permission_denied,   // a known caller without the right
    not_found,           // no such object, or it belongs to somebody else: both sound the same
    already_exists,      // the name is taken
    conflict,            // the object's state does not allow the step, or a key was reused for another body
    too_large,           // more bytes than the limit
    too_long,            // more tokens than the model or the setting takes
    insufficient_quota,  // credit or budget does not cover the highest possible cost
    rate_limited,        // too many requests for now
    overloaded,          // the queue is full: come back later
    unavailable,         // a part we depend on does not answer (store, network)
    unsupported,         // a valid wish that this build or model cannot fulfil
    corrupt,             // stored or received bytes contradict themselves
    io,                  // the operating system refused a file or socket operation
    cancelled,           // the caller stopped it
    internal,            // a fault of our own that could be contained
};

// The code's lower-case name, as it appears in JSON.
const char* name(ErrorCode code);

struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string message;  // one sentence for people: what, where (file, row, field), what to do
    std::string param;    // the field or option at fault, when there is one
    std::string reason;   // finer machine-readable word, such as "model_not_found"; may be empty
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string param = {},
                                   std::string reason = {}) {
    return std::unexpected(Error{code, std::move(message), std::move(param), std::move(reason)});
}

inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// Returns early with the error of `expression`, or binds its value to `name`.
#define ROOTSTOCK_TRY(name, expression)                                             \
    auto name##_result = (expression);                                              \
    if (!name##_result) return ::rootstock::fail(std::move(name##_result.error())); \
    auto& name = *name##_result

// The same for a Result<void>, or when the value is not needed.
#define ROOTSTOCK_CHECKED(expression)                                                     \
    do {                                                                                  \
        auto checked_result = (expression);                                               \
        if (!checked_result) return ::rootstock::fail(std::move(checked_result.error())); \
    } while (false)

}  // namespace rootstock
