#include "flow/pay/stripe.h"

#include <mutex>

#include "flow/pay/stripe_event.h"
#include "http/http.h"

namespace rootstock::pay {
namespace {

constexpr const char* api_version = "2024-06-20";
constexpr std::size_t answer_bytes_max = std::size_t{4} << 20;
constexpr int pages_max = 20;

using Form = std::vector<std::pair<std::string, std::string>>;
using Kind = Outcome::Kind;

std::string encoded(const Form& form) {
    std::string text;
    for (const auto& [name, value] : form)
        text +=
            (text.empty() ? "" : "&") + http::percent_encoded(name, false) + "=" + http::percent_encoded(value, false);
    return text;
}

std::string text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

std::optional<std::int64_t> count_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_int64() ? std::optional(value->as_int64()) : std::nullopt;
}

const json::object* object_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value ? value->if_object() : nullptr;
}

// A word of Stripe's that may stand in our records and answers.
std::string word(std::string text) {
    std::erase_if(text, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'); });
    return text.substr(0, 64);
}

struct Reply {
    int status = 0;       // 0: none
    bool unsent = false;  // and the request never left
    json::object body{};  // empty when it was no JSON object

    bool fine() const { return status / 100 == 2 && !body.empty(); }
    std::string error() const {
        const auto* error = object_at(body, "error");
        if (!error) return "no_answer";
        for (const char* key : {"decline_code", "code", "type"})
            if (auto text = word(text_at(*error, key)); !text.empty()) return text;
        return "refused";
    }
};

// Of a call that changes something, when it did not go well: what is certain.
Outcome not_fine(const Reply& reply) {
    if (reply.unsent) return {Kind::failed, {}, "not_sent"};
    const bool certain = reply.status / 100 == 4 && reply.status != 408 && reply.status != 409 && reply.status != 429;
    return {certain ? Kind::failed : Kind::unknown, {}, reply.error()};
}

class Stripe final : public Provider {
public:
    explicit Stripe(StripeSettings settings)
        : settings_(std::move(settings)), web_({.total_max = settings_.patience}) {}

    const char* name() const override { return "stripe"; }
    bool can_be_asked() const override { return true; }

    Result<std::string> customer(const TenantId& tenant, const std::string& name) override {
        auto reply =
            post("/v1/customers", {{"name", name}, {"metadata[tenant]", tenant.text()}}, "customer-" + tenant.text());
        auto id = text_at(reply.body, "id");
        if (reply.fine() && !id.empty()) return id;
        return fail(ErrorCode::unavailable, "Stripe made no customer (" + reply.error() + "): try again later", {},
                    "provider_unavailable");
    }

    Outcome charge(const Charge& charge) override {
        if (charge.payment.currency == "UGX")
            return {Kind::failed, {}, "currency_not_taken"};  // Stripe counts it in 100ths
        auto reply = post("/v1/payment_intents", order_of(charge), charge.attempt.id.text());
        if (reply.fine()) return read_intent(charge, reply.body);
        auto outcome = not_fine(reply);
        // A decline leaves an intent behind that could still be paid.
        const auto* error = object_at(reply.body, "error");
        const auto* intent = error ? object_at(*error, "payment_intent") : nullptr;
        if (outcome.kind == Kind::failed && intent) return cancelled(text_at(*intent, "id"), outcome.error);
        return outcome;
    }

    Outcome look(const Charge& charge) override {
        if (!charge.attempt.ref.empty()) {
            auto reply = get("/v1/payment_intents/" + http::percent_encoded(charge.attempt.ref, false));
            return reply.fine() ? read_intent(charge, reply.body)
                                : Outcome{Kind::unknown, charge.attempt.ref, reply.error()};
        }
        Form filter{{"created[gte]", std::to_string(charge.attempt.created.micros / 1'000'000 - 600)}};
        if (!charge.customer.empty()) filter.emplace_back("customer", charge.customer);
        auto found = find("/v1/payment_intents", filter, "attempt", charge.attempt.id.text());
        if (!found) return {Kind::unknown, {}, "no_answer"};
        return found->empty() ? Outcome{Kind::absent} : read_intent(charge, *found);
    }

    Outcome give_back(const Return& wanted) override {
        const Form form{{"payment_intent", wanted.charge},
                        {"amount", std::to_string(wanted.refund.amount)},
                        {"metadata[refund]", wanted.refund.id.text()}};
        auto reply = post("/v1/refunds", form, wanted.refund.id.text());
        return reply.fine() ? read_refund(reply.body) : not_fine(reply);
    }

    Outcome look(const Return& wanted) override {
        if (!wanted.refund.ref.empty()) {
            auto reply = get("/v1/refunds/" + http::percent_encoded(wanted.refund.ref, false));
            return reply.fine() ? read_refund(reply.body) : Outcome{Kind::unknown, wanted.refund.ref, reply.error()};
        }
        auto found = find("/v1/refunds", {{"payment_intent", wanted.charge}}, "refund", wanted.refund.id.text());
        if (!found) return {Kind::unknown, {}, "no_answer"};
        return found->empty() ? Outcome{Kind::absent} : read_refund(*found);
    }

    Result<Notice> read_notice(const std::string& signature, const std::string& body, Timestamp now) override {
        ROOTSTOCK_CHECKED(check_stripe_signature(signature, body, settings_.webhook_secret, now));
        return read_stripe_event(body);
    }

private:
    static Form order_of(const Charge& charge) {
        auto currency = charge.payment.currency;
        for (auto& c : currency) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        Form form{{"amount", std::to_string(charge.payment.amount)},
                  {"currency", currency},
                  {"metadata[attempt]", charge.attempt.id.text()},
                  {"metadata[payment]", charge.payment.id.text()}};
        if (!charge.customer.empty()) form.emplace_back("customer", charge.customer);
        if (charge.payment.method.empty()) {
            form.emplace_back("automatic_payment_methods[enabled]", "true");
        } else {
            form.emplace_back("payment_method", charge.payment.method);
            form.emplace_back("confirm", "true");
            form.emplace_back("off_session", "true");
        }
        return form;
    }

    Outcome read_intent(const Charge& charge, const json::object& intent) {
        const auto id = text_at(intent, "id"), status = text_at(intent, "status");
        if (id.empty() || status.empty()) return {Kind::unknown, {}, "no_answer"};
        if (status == "succeeded") return {Kind::succeeded, id, {}, count_at(intent, "amount_received")};
        if (status == "canceled") return {Kind::failed, id, "canceled"};
        if (status == "processing") return {Kind::pending, id};
        // It wants the payer, who is not there when we confirmed it ourselves.
        if (!charge.payment.method.empty()) return cancelled(id, "payer_needed");
        return {Kind::pending, id, {}, {}, text_at(intent, "client_secret")};
    }

    Outcome cancelled(const std::string& intent, const std::string& why) {
        auto reply = post("/v1/payment_intents/" + http::percent_encoded(intent, false) + "/cancel", {}, "");
        const bool gone = reply.fine() && text_at(reply.body, "status") == "canceled";
        return {gone ? Kind::failed : Kind::unknown, intent, why};
    }

    static Outcome read_refund(const json::object& refund) {
        const auto id = text_at(refund, "id"), status = text_at(refund, "status");
        if (id.empty()) return {Kind::unknown, {}, "no_answer"};
        if (status == "succeeded") return {Kind::succeeded, id, {}, count_at(refund, "amount")};
        if (status == "failed" || status == "canceled") {
            auto why = word(text_at(refund, "failure_reason"));
            return {Kind::failed, id, why.empty() ? status : why};
        }
        return {Kind::pending, id};
    }

    // The object whose metadata bears our id; an empty one when there is none; nothing when the list is not to be had.
    std::optional<json::object> find(const std::string& path, Form filter, std::string_view key,
                                     std::string_view ours) {
        filter.emplace_back("limit", "100");
        std::string after;
        for (int page = 0; page < pages_max; ++page) {
            auto reply = get(path + "?" + encoded(filter) + (after.empty() ? "" : "&starting_after=" + after));
            const auto* data = reply.fine() ? reply.body.if_contains("data") : nullptr;
            if (!data || !data->is_array()) return std::nullopt;
            for (const auto& one : data->as_array()) {
                const auto* object = one.if_object();
                const auto* metadata = object ? object_at(*object, "metadata") : nullptr;
                if (metadata && text_at(*metadata, key) == ours) return *object;
                if (object) after = http::percent_encoded(text_at(*object, "id"), false);
            }
            const auto* more = reply.body.if_contains("has_more");
            if (!more || *more != true || after.empty()) return json::object{};
        }
        return std::nullopt;
    }

    Reply post(const std::string& path, const Form& form, const std::string& once) {
        http::WebRequest request{settings_.url + path, settings_.key, headers()};
        request.headers.push_back("Content-Type: application/x-www-form-urlencoded");
        if (!once.empty()) request.headers.push_back("Idempotency-Key: " + once);
        request.post = encoded(form);
        return send(request);
    }

    Reply get(const std::string& path) { return send({settings_.url + path, settings_.key, headers()}); }

    static std::vector<std::string> headers() { return {std::string("Stripe-Version: ") + api_version}; }

    Reply send(const http::WebRequest& request) {
        std::lock_guard lock(mutex_);
        auto answer = web_.send(request, answer_bytes_max);
        Reply reply;
        if (!answer) {
            reply.unsent = answer.error().reason == "not_sent";
            spdlog::warn("stripe: {}", answer.error().message);
            return reply;
        }
        reply.status = answer->status;
        if (auto value = parse_json(answer->body, "Stripe's answer"); value && value->is_object())
            reply.body = std::move(value->as_object());
        return reply;
    }

    const StripeSettings settings_;
    std::mutex mutex_;  // one connection, kept open
    http::Web web_;
};

}  // namespace

std::unique_ptr<Provider> make_stripe(StripeSettings settings) { return std::make_unique<Stripe>(std::move(settings)); }

}  // namespace rootstock::pay
