#pragma once
// What Stripe sends: the Stripe-Signature header and the event's JSON. Both come from strangers.
//
//   Stripe-Signature: t=1795000000,v1=HEX[,v1=HEX...][,v0=...]
//   v1 = HMAC-SHA-256(endpoint secret, "t.BODY") over the bytes as they came

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "flow/pay/provider.h"

namespace rootstock::pay {

struct StripeSignature {
    std::int64_t seconds = 0;
    std::vector<std::string> v1;  // at most eight; others are passed over
};
// Nothing unless there is exactly one t and at least one v1, within 2 KiB.
std::optional<StripeSignature> read_stripe_signature(std::string_view header);

inline constexpr std::int64_t signature_seconds_max = 300;  // either way from now

// unauthenticated, with one sentence for whatever is wrong.
Result<void> check_stripe_signature(std::string_view header, std::string_view body, std::string_view secret,
                                    Timestamp now);

// invalid_argument for what is no event. Events about anything else than intents and refunds are about nothing.
Result<Notice> read_stripe_event(std::string_view body);

}  // namespace rootstock::pay
