#include "flow/pay/stripe_event.h"

#include <charconv>

#include "outbox/outbox.h"

namespace rootstock::pay {
namespace {

constexpr std::size_t header_bytes_max = 2048, signatures_max = 8, id_bytes_max = 255;

std::string text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

bool is_id(const std::string& text) {
    return !text.empty() && text.size() <= id_bytes_max &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               std::string::npos;
}

std::unexpected<Error> no_event() {
    return fail(ErrorCode::invalid_argument, "the body is no event of Stripe: it needs id, type and data.object", {},
                "not_an_event");
}

}  // namespace

std::optional<StripeSignature> read_stripe_signature(std::string_view header) {
    if (header.size() > header_bytes_max) return std::nullopt;
    StripeSignature read;
    int times = 0;
    while (!header.empty()) {
        const auto part = header.substr(0, header.find(','));
        header.remove_prefix(std::min(part.size() + 1, header.size()));
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const auto key = part.substr(0, equals), value = part.substr(equals + 1);
        if (key == "t") {
            const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), read.seconds);
            if (fault != std::errc() || end != value.data() + value.size() || read.seconds < 0) return std::nullopt;
            ++times;
        } else if (key == "v1" && read.v1.size() < signatures_max) {
            read.v1.emplace_back(value);
        }
    }
    if (times != 1 || read.v1.empty()) return std::nullopt;
    return read;
}

Result<void> check_stripe_signature(std::string_view header, std::string_view body, std::string_view secret,
                                    Timestamp now) {
    const auto refused = [] {
        return fail(ErrorCode::unauthenticated,
                    "Stripe-Signature does not fit this body and this time: is it the endpoint's secret that is set?",
                    "Stripe-Signature", "bad_signature");
    };
    const auto read = read_stripe_signature(header);
    if (!read || secret.empty()) return refused();
    const auto age = now.micros / 1'000'000 - read->seconds;
    const auto wanted =
        outbox::lower_hex(outbox::hmac_sha256(secret, std::to_string(read->seconds) + "." + std::string(body)));
    bool fits = false;
    for (const auto& given : read->v1) fits = outbox::same_secret(given, wanted) || fits;
    if (!fits || age > signature_seconds_max || age < -signature_seconds_max) return refused();
    return {};
}

Result<Notice> read_stripe_event(std::string_view body) {
    auto value = parse_json(body, "the event");
    if (!value) return fail(value.error());
    const auto* event = value->if_object();
    const auto* data = event ? event->if_contains("data") : nullptr;
    const auto* object = data && data->is_object() ? data->as_object().if_contains("object") : nullptr;
    if (!object || !object->is_object()) return no_event();
    Notice notice{text_at(*event, "id"), Notice::About::nothing, text_at(object->as_object(), "id")};
    const auto type = text_at(*event, "type"), kind = text_at(object->as_object(), "object");
    if (!is_id(notice.event) || type.empty()) return no_event();
    if (!is_id(notice.ref)) return notice;
    if (kind == "payment_intent" && type.starts_with("payment_intent.")) notice.about = Notice::About::attempt;
    if (kind == "refund") notice.about = Notice::About::refund;
    return notice;
}

}  // namespace rootstock::pay
