// Signing up: POST /api/v1/signup and /api/v1/signup/confirm, and the same as plain forms under /signup.

#include "app/pages/sign_up_page.h"
#include "app/pipeline/steps.h"
#include "app/routes/management.h"
#include "app/routes/passwords.h"
#include "app/routes/routes.h"
#include "app/routes/text_fields.h"

namespace rootstock {
namespace {

using letters::Language;

constexpr std::int64_t per_minute_max = 6;  // of one address: letters, and tries of a link
constexpr std::size_t form_bytes_max = 16 * 1024;

std::unexpected<Error> closed() {
    return fail(ErrorCode::permission_denied, "sign-up is not open here: ask for an account", {}, "sign_up_closed");
}

// Letters cost, and passwords are hashed: from one address only so often.
Result<void> expect_welcome(Exchange& exchange) {
    if (!exchange.services.settings.front.sign_up) return closed();
    using Scope = tenant::RateLimits::Scope;
    tenant::Limits limits;
    limits.requests_per_minute = per_minute_max;
    auto admitted = exchange.services.rates.admit({Scope{"sign-up " + exchange.request.peer, limits}, Scope{}});
    exchange.admission = admitted ? std::move(*admitted) : std::move(admitted.error().state);
    if (!admitted) return fail(std::move(admitted.error().error));
    return {};
}

Task<Result<void>> ask(Exchange& exchange, tenant::SignUp wish) {
    if (auto fine = expect_welcome(exchange); !fine) co_return fine;
    auto work = [&exchange, wish = std::move(wish)](store::Session& session) {
        const auto& services = exchange.services;
        return signup::ask(session, *services.vault, wish, services.settings.front.url, services.clock.now());
    };
    co_return co_await exchange.services.write(std::move(work));
}

Task<Result<signup::Welcome>> confirm(Exchange& exchange, std::string token, std::string password,
                                      std::optional<std::string> code) {
    auto& services = exchange.services;
    if (auto fine = expect_welcome(exchange); !fine) co_return fail(fine.error());
    if (auto fine = tenant::check_password(password); !fine) co_return fail(fine.error());
    auto wish = services.records->read([&](store::Session& session) {
        return tenant::find_sign_up(session, deriving(services), token, services.clock.now());
    });
    if (!wish) co_return fail(wish.error());
    auto known = known_person(exchange, wish->email);
    if (!known) co_return fail(known.error());
    auto prove = [&]() -> std::optional<std::string> {
        if (known->person && !tenant::right_password(known->hash, password)) return std::nullopt;
        return tenant::hash_password(password);
    };
    auto hash = co_await on_passwords(exchange, prove);
    if (!hash) co_return fail(hash.error());
    if (!*hash)
        co_return fail(ErrorCode::unauthenticated,
                       "there is an account with this address already: give its password, not a new one", {},
                       "sign_in_refused");
    auto work = [&](store::Session& session) -> Result<signup::Welcome> {
        const auto now = services.clock.now();
        if (known->person)
            ROOTSTOCK_CHECKED(tenant::pass_second_factor(session, deriving(services), known->person->id, code, now));
        return signup::confirm(session, *services.vault, token, **hash, now);
    };
    co_return co_await services.write(std::move(work));
}

// ---- for programs ----

std::string text_of(const json::object& body, std::string_view key, const char* fallback = "") {
    const auto* value = body.if_contains(key);
    return value ? std::string(value->as_string()) : std::string(fallback);
}

Task<Result<http::Response>> post_sign_up(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    tenant::SignUp wish{.email = text_of(body, "email"),
                        .name = text_of(body, "name"),
                        .plan = text_of(body, "plan"),
                        .coupon = text_of(body, "coupon"),
                        .referral = text_of(body, "ref"),
                        .language = text_of(body, "language", "en")};
    auto done = co_await ask(exchange, std::move(wish));
    if (!done) co_return fail(done.error());
    auto response = json_response(json::object{{"accepted", true}});
    response.status = 202;
    co_return response;
}

Task<Result<http::Response>> post_confirmation(Exchange& exchange) {
    const auto& body = exchange.body.as_object();
    std::optional<std::string> code;
    if (body.contains("code")) code = text_of(body, "code");
    std::string token = text_of(body, "token"), password = text_of(body, "password");
    auto welcome = co_await confirm(exchange, std::move(token), std::move(password), std::move(code));
    if (!welcome) co_return fail(welcome.error());
    auto response = json_response(json::object{{"tenant", welcome->tenant.id.text()},
                                               {"tenant_name", welcome->tenant.name},
                                               {"person", welcome->person.id.text()},
                                               {"email", welcome->person.email},
                                               {"subscription", welcome->subscription.id},
                                               {"plan", welcome->subscription.plan},
                                               {"trial_end", time_or_null(welcome->subscription.trial_end)}});
    response.status = 201;
    co_return response;
}

// ---- for people ----

Result<ShopWindow> window_of(Exchange& exchange) {
    const auto& services = exchange.services;
    return services.records->read(
        [&](store::Session& session) { return shop_window(session, services.settings.front, services.clock.now()); });
}

Result<TextFields> fields_of(std::string_view text) {
    if (text.size() > form_bytes_max) return fail(ErrorCode::too_large, "this form is too long");
    auto fields = http::parse_query(text);
    if (!fields) return fail(ErrorCode::invalid_argument, fields.error().sentence);
    return TextFields(std::move(*fields));
}

SignUpForm form_of(TextFields& fields) {
    return {fields.text("email"), fields.text("name"), fields.text("plan"), fields.text("coupon"), fields.text("ref")};
}

// A visitor's mistake is told on the page he filled in; what is not his goes the usual way.
bool on_page(const Error& error) {
    return error.code == ErrorCode::invalid_argument || error.code == ErrorCode::not_found ||
           error.code == ErrorCode::unauthenticated || error.code == ErrorCode::permission_denied ||
           error.code == ErrorCode::rate_limited;
}

Task<Result<http::Response>> show_form(Exchange& exchange, Language language) {
    auto window = window_of(exchange);
    if (!window) co_return fail(window.error());
    auto fields = fields_of(exchange.request.query);
    co_return fresh_page(sign_up_page(*window, language, fields ? form_of(*fields) : SignUpForm{}));
}

Task<Result<http::Response>> send_form(Exchange& exchange, Language language) {
    auto window = window_of(exchange);
    if (!window) co_return fail(window.error());
    auto fields = fields_of(exchange.request.body);
    if (!fields) co_return fail(fields.error());
    auto form = form_of(*fields);
    tenant::SignUp wish{.email = form.email,
                        .name = form.name,
                        .plan = form.plan,
                        .coupon = form.coupon,
                        .referral = form.referral,
                        .language = language == Language::english ? "en" : "zh"};
    auto done = co_await ask(exchange, std::move(wish));
    if (done) co_return fresh_page(letter_sent_page(*window, language), 202);
    if (!on_page(done.error())) co_return fail(done.error());
    form.fault = done.error().message;
    co_return fresh_page(sign_up_page(*window, language, form), status_of(done.error()));
}

// The page hands on no word but a token of ours that still opens something; a scanner of letters uses nothing up here.
Task<Result<http::Response>> show_confirm(Exchange& exchange, Language language) {
    auto window = window_of(exchange);
    if (!window) co_return fail(window.error());
    const auto& services = exchange.services;
    auto fields = fields_of(exchange.request.query);
    const auto token = fields ? fields->text("token") : std::string();
    auto wish = services.records->read([&](store::Session& session) {
        return tenant::find_sign_up(session, deriving(services), token, services.clock.now());
    });
    if (wish) co_return fresh_page(confirm_page(*window, language, token, {}));
    if (!on_page(wish.error())) co_return fail(wish.error());
    co_return fresh_page(confirm_page(*window, language, {}, wish.error().message), status_of(wish.error()));
}

Task<Result<http::Response>> send_confirm(Exchange& exchange, Language language) {
    auto window = window_of(exchange);
    if (!window) co_return fail(window.error());
    auto fields = fields_of(exchange.request.body);
    if (!fields) co_return fail(fields.error());
    const auto token = fields->text("token");
    std::string password = fields->text("password");
    std::optional<std::string> code;
    if (auto given = fields->text("code"); !given.empty()) code = std::move(given);
    auto welcome = co_await confirm(exchange, token, std::move(password), std::move(code));
    if (!welcome) {
        if (!on_page(welcome.error())) co_return fail(welcome.error());
        const auto kept = welcome.error().reason == "sign_up_not_found" ? std::string() : token;
        co_return fresh_page(confirm_page(*window, language, kept, welcome.error().message),
                             status_of(welcome.error()));
    }
    const auto& subscription = welcome->subscription;
    const auto until = subscription.trial_end ? to_iso8601(*subscription.trial_end).substr(0, 10) : std::string();
    co_return fresh_page(welcome_page(*window, language, welcome->tenant.name, subscription.plan, until), 201);
}

template <auto Show, Language language>
Endpoint page() {
    return {Access::open, Body::none, [](Exchange& exchange) { return Show(exchange, language); }};
}

Endpoint open_to_all(std::function<Task<Result<http::Response>>(Exchange&)> answer) {
    return {Access::open, Body::json, std::move(answer), Dialect::details};
}

}  // namespace

void add_sign_up_routes(Routes& routes) {
    routes.add("POST", "/api/v1/signup", open_to_all(post_sign_up));
    routes.add("POST", "/api/v1/signup/confirm", open_to_all(post_confirmation));
    routes.add("GET", "/signup", page<show_form, Language::english>());
    routes.add("POST", "/signup", page<send_form, Language::english>());
    routes.add("GET", "/signup/confirm", page<show_confirm, Language::english>());
    routes.add("POST", "/signup/confirm", page<send_confirm, Language::english>());
    routes.add("GET", "/zh/signup", page<show_form, Language::chinese>());
    routes.add("POST", "/zh/signup", page<send_form, Language::chinese>());
    routes.add("GET", "/zh/signup/confirm", page<show_confirm, Language::chinese>());
    routes.add("POST", "/zh/signup/confirm", page<send_confirm, Language::chinese>());
}

}  // namespace rootstock
