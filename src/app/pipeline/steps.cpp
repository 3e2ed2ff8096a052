#include "app/pipeline/steps.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/contract/contract.h"
#include "app/pipeline/cookie.h"

namespace rootstock {
namespace {

// "Bearer KEY", the scheme in any case (RFC 6750).
std::string_view bearer_of(const http::Request& request) {
    auto header = request.header("Authorization");
    constexpr std::string_view scheme = "Bearer ";
    if (!header || header->size() <= scheme.size()) return {};
    if (!http::same_name(header->substr(0, scheme.size()), scheme)) return {};
    auto key = header->substr(scheme.size());
    key.remove_prefix(std::min(key.find_first_not_of(' '), key.size()));
    return key;
}

bool says(const http::Request& request, std::string_view media) {
    auto type = request.header("Content-Type").value_or("");
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return http::same_name(type, media);
}

// A packed body could be a thousand times its size: none is unpacked.
Result<void> check_coding(const http::Request& request) {
    const auto coding = request.all_of_header("Content-Encoding");
    if (coding.empty() || http::same_name(coding, "identity")) return {};
    return fail(ErrorCode::invalid_argument, "send the body as it is, without Content-Encoding", {},
                "unsupported_media_type");
}

constexpr std::size_t fields_max = 65'536;  // of all objects of a body together

// A million names take a second to be compared and kept; they are counted first, which takes a millisecond. The text
// need not be JSON: what is counted too much then is refused anyway.
Result<void> check_fields(std::string_view text) {
    std::size_t fields = 0;
    for (std::size_t at = 0; (at = text.find_first_of("\":", at)) != std::string_view::npos; ++at) {
        if (text[at] == ':' && ++fields > fields_max)
            return fail(ErrorCode::invalid_argument,
                        "the request body has more than " + std::to_string(fields_max) + " fields", {}, "invalid_json");
        if (text[at] != '"') continue;
        for (++at; at < text.size() && text[at] != '"'; ++at)
            if (text[at] == '\\') ++at;
    }
    return {};
}

struct Parsed {
    json::value value;
    std::string fingerprint;
};

Result<Parsed> parse(const http::Request& request) {
    ROOTSTOCK_CHECKED(check_fields(request.body));
    ROOTSTOCK_TRY(value, parse_json(request.body, "the request body"));
    std::string fingerprint;
    if (request.header("Idempotency-Key")) fingerprint = ledger::fingerprint(value);
    return Parsed{std::move(value), std::move(fingerprint)};
}

Result<void> check_headers(const Operation& operation, const http::Request& request) {
    if (operation.needs_repeat_key && !request.header("Idempotency-Key"))
        return fail(ErrorCode::invalid_argument,
                    "send an Idempotency-Key, any text of yours for this one change: it can be repeated safely then",
                    "Idempotency-Key", "idempotency_key_missing");
    if (operation.needs_version && !request.header("If-Match"))
        return fail(ErrorCode::conflict, "send If-Match with the ETag of what you saw, so that nobody's change is lost",
                    "If-Match", "precondition_required");
    return {};
}

// Methods that change nothing (RFC 9110, 9.2.1) need no proof that the page itself asks.
bool is_safe(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

Result<tenant::SignedIn> sign_in_of(Exchange& exchange) {
    const auto token = session_token(exchange.services, exchange.request);
    if (token.empty())
        return fail(ErrorCode::unauthenticated,
                    "sign in, or send a key with scopes in the header \"Authorization: Bearer KEY\"", {},
                    "unauthenticated");
    const auto now = exchange.services.clock.now();
    ROOTSTOCK_TRY(signed_in, exchange.services.records->read(
                                 [&](store::Session& session) { return tenant::find_signed_in(session, token, now); }));
    if (!is_safe(exchange.request) && exchange.request.header("X-CSRF-Token").value_or("") != tenant::csrf_of(token))
        return fail(ErrorCode::permission_denied,
                    "send the session's csrf_token in the header X-CSRF-Token with every change", "X-CSRF-Token",
                    "csrf_token_invalid");
    if (now.micros - signed_in.used.micros >= std::chrono::microseconds(tenant::sign_in_marked_every).count())
        exchange.services.records->write(
            [id = signed_in.session, now](store::Session& session) -> Result<void> {
                tenant::mark_used(session, id, now);
                return {};
            },
            [](Result<void>) {});
    return std::move(signed_in);
}

// The day on which a key was last used, at the first call of the day; nobody waits for it.
void keep_day(Exchange& exchange) {
    const auto now = exchange.services.clock.now();
    if (exchange.caller.last_used_day == tenant::day_of(now)) return;
    exchange.services.records->write(
        [key = exchange.caller.key, now](store::Session& session) -> Result<void> {
            tenant::mark_key_used(session, key, now);
            return {};
        },
        [](Result<void>) {});
}

// A tenant's own limits and those of its plan both hold.
void narrow(tenant::Limits& own, const ledger::PlanLimits& plan) {
    const auto less = [](std::optional<std::int64_t>& own, const std::optional<std::int64_t>& plan) {
        if (plan) own = std::min(own.value_or(*plan), *plan);
    };
    less(own.requests_per_minute, plan.requests_per_minute);
    less(own.tokens_per_minute, plan.tokens_per_minute);
    less(own.parallel, plan.parallel);
}

Task<Result<Parsed>> parse_apart(const http::Request& request) { co_return parse(request); }

}  // namespace

Task<Result<void>> match_route(Exchange& exchange) {
    auto match = exchange.routes.find(exchange.request);
    exchange.route = match.route;
    if (match.route) co_return Result<void>{};
    if (match.allow.empty())
        co_return fail(ErrorCode::not_found, "nothing is served under this path; see api/openapi.yaml", {},
                       "unknown_url");
    exchange.allow = match.allow;
    co_return fail(ErrorCode::invalid_argument, "this path is served for " + match.allow + " only", {},
                   "method_not_allowed");
}

std::string_view session_cookie(const Services& services) {
    return services.settings.tls ? "__Host-rootstock_session" : "rootstock_session";
}

std::string_view session_token(const Services& services, const http::Request& request) {
    return cookie_in(request.header("Cookie").value_or(""), session_cookie(services));
}

bool is_form(const http::Request& request) { return says(request, "multipart/form-data"); }

Result<tenant::Caller> caller_of(Services& services, const http::Request& request) {
    auto key = bearer_of(request);
    if (key.empty())
        return fail(ErrorCode::unauthenticated, "send your API key in the header \"Authorization: Bearer KEY\"", {},
                    "invalid_api_key");
    auto now = services.clock.now();
    return services.records->read([&](store::Session& session) -> Result<tenant::Caller> {
        ROOTSTOCK_TRY(caller, tenant::authenticate(session, key, now, request.peer));
        narrow(caller.tenant_limits, ledger::plan_limits(session, caller.tenant));
        return std::move(caller);
    });
}

Task<Result<void>> authenticate(Exchange& exchange) {
    const auto access = exchange.route->endpoint.access;
    if (access == Access::open) co_return Result<void>{};
    if (access == Access::manage && !exchange.request.header("Authorization")) {
        auto signed_in = sign_in_of(exchange);
        if (!signed_in) co_return fail(signed_in.error());
        exchange.person = std::move(*signed_in);
        co_return Result<void>{};
    }
    auto caller = caller_of(exchange.services, exchange.request);
    if (!caller) co_return fail(caller.error());
    exchange.caller = std::move(*caller);
    keep_day(exchange);
    co_return Result<void>{};
}

Task<Result<void>> limit(Exchange& exchange) {
    auto& caller = exchange.caller;
    if (caller.key.empty()) co_return Result<void>{};
    const auto& common = exchange.services.settings.key_limits;
    const auto& own = caller.key_limits;
    const tenant::Limits key{own.requests_per_minute ? own.requests_per_minute : common.requests_per_minute,
                             own.tokens_per_minute ? own.tokens_per_minute : common.tokens_per_minute,
                             own.parallel ? own.parallel : common.parallel};
    using Scope = tenant::RateLimits::Scope;
    auto admitted = exchange.services.rates.admit(
        {Scope{caller.key.text(), key}, Scope{caller.tenant.text(), caller.tenant_limits}});
    exchange.admission = admitted ? std::move(*admitted) : std::move(admitted.error().state);
    if (!admitted) co_return fail(std::move(admitted.error().error));
    caller.admission = exchange.admission;
    co_return Result<void>{};
}

Task<Result<void>> parse_body(Exchange& exchange) {
    const auto body = exchange.route->endpoint.body;
    if (body == Body::none) co_return Result<void>{};
    if (auto fine = check_coding(exchange.request); !fine) co_return fine;
    const bool form = body == Body::form || (body == Body::picture && is_form(exchange.request));
    if (form) co_return Result<void>{};  // the route's to read
    if (!says(exchange.request, "application/json"))
        co_return fail(ErrorCode::invalid_argument, "send the body as JSON, with \"Content-Type: application/json\"",
                       {}, "unsupported_media_type");
    auto& request = exchange.request;
    auto& services = exchange.services;
    Result<Parsed> parsed;
    if (request.body.size() > services.settings.predict.bytes_on_io_thread_max)
        parsed = co_await boost::asio::co_spawn(services.pool, parse_apart(request), boost::asio::use_awaitable);
    else
        parsed = parse(request);
    if (!parsed) co_return fail(parsed.error());
    request.body = {};
    exchange.body = std::move(parsed->value);
    exchange.fingerprint = std::move(parsed->fingerprint);
    co_return Result<void>{};
}

Task<Result<void>> validate(Exchange& exchange) {
    const auto& contract = Contract::built_in();
    const auto* operation = contract.find(exchange.route->method, exchange.route->pattern);
    ROOTSTOCK_CHECK(operation, "a route that api/openapi.yaml does not describe");
    if (auto fine = check_headers(*operation, exchange.request); !fine) co_return fine;
    if (!operation->page)
        if (auto fine = contract.check_query(*operation, exchange.request.query); !fine) co_return fine;
    const auto body = exchange.route->endpoint.body;
    if (body == Body::none || (body == Body::picture && is_form(exchange.request))) co_return Result<void>{};
    co_return contract.check_body(*operation, exchange.body);
}

Task<Result<void>> answer(Exchange& exchange) {
    if (exchange.answered) co_return Result<void>{};
    auto response = co_await exchange.route->endpoint.answer(exchange);
    if (exchange.repeat) {
        auto closed = co_await close_claim(exchange, response);
        if (!closed) co_return closed;
    }
    if (!response) co_return fail(response.error());
    exchange.response = std::move(*response);
    co_return Result<void>{};
}

}  // namespace rootstock
