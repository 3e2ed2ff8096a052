#pragma once
// Stripe, by its own API (form-encoded requests, JSON answers; https://docs.stripe.com/api).
//
//   POST /v1/customers, /v1/payment_intents, /v1/payment_intents/{id}/cancel, /v1/refunds
//   GET  /v1/payment_intents[/{id}], /v1/refunds[/{id}]
//
// Idempotency-Key is the id of the attempt or refund. A payment with a saved method is confirmed at once without the
// payer; when the bank declines it or wants the payer, the intent is cancelled, so that it cannot succeed later. One
// without a method waits for the payer's page.
//
// Answers: 2xx tells the state; 402 is a decline; other 4xx did nothing; 409, 429, 5xx and silence are unknown. What is
// unknown and has no name yet is looked for among the customer's intents by our id in its metadata.

#include <chrono>

#include "flow/pay/provider.h"

namespace rootstock::pay {

struct StripeSettings {
    std::string url = "https://api.stripe.com";
    std::string key{};             // sk_...; never logged
    std::string webhook_secret{};  // whsec_...; never logged
    std::chrono::milliseconds patience{30'000};
};

std::unique_ptr<Provider> make_stripe(StripeSettings settings);

}  // namespace rootstock::pay
