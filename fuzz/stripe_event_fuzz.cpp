// flow/pay: the Stripe-Signature header (up to the first line's end) and the event's JSON after it.

#include "flow/pay/stripe_event.h"

#include "input.h"
#include "outbox/outbox.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::as_text(data, size);
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string header(bytes.substr(0, end)), body(bytes.substr(std::min(end + 1, bytes.size())));
    const Timestamp now{1'795'000'000'000'000};
    if (auto read = pay::read_stripe_signature(header)) {
        if (read->v1.empty() || read->v1.size() > 8 || read->seconds < 0) std::abort();
    }
    // No stranger knows the secret; who knows it is believed.
    const std::string secret = outbox::hmac_sha256("fuzz", body);
    if (pay::check_stripe_signature(header, body, secret, now)) std::abort();
    const auto good = "t=1795000000,v1=" + outbox::lower_hex(outbox::hmac_sha256(secret, "1795000000." + body));
    if (!pay::check_stripe_signature(good, body, secret, now)) std::abort();
    if (auto notice = pay::read_stripe_event(body))
        if (notice->event.empty() || notice->event.size() > 255) std::abort();
    return 0;
}
