#pragma once
// What is served, one file per resource. api/openapi.yaml describes the same routes, and a test holds the two together.

#include "app/pipeline/exchange.h"

namespace rootstock {

void add_classify_route(Routes& routes);       // POST /v1/classify
void add_embeddings_route(Routes& routes);     // POST /v1/embeddings
void add_rerank_route(Routes& routes);         // POST /v1/rerank
void add_similarity_route(Routes& routes);     // POST /v1/similarity
void add_extract_route(Routes& routes);        // POST /v1/extract
void add_answer_span_route(Routes& routes);    // POST /v1/answer-span
void add_score_route(Routes& routes);          // POST /v1/score
void add_images_route(Routes& routes);         // POST /v1/images/classify
void add_moderations_route(Routes& routes);    // POST /v1/moderations
void add_chat_route(Routes& routes);           // POST /v1/chat/completions
void add_completions_route(Routes& routes);    // POST /v1/completions
void add_models_routes(Routes& routes);        // GET /v1/models, GET and DELETE /v1/models/{id}
void add_files_routes(Routes& routes);         // /v1/files
void add_uploads_routes(Routes& routes);       // /v1/uploads
void add_fine_tuning_routes(Routes& routes);   // /v1/fine_tuning/jobs
void add_batches_routes(Routes& routes);       // /v1/batches
void add_organization_routes(Routes& routes);  // /v1/organization/usage/*, /v1/organization/costs
void add_feedback_route(Routes& routes);       // POST /v1/feedback
void add_health_routes(Routes& routes);        // GET /healthz, GET /readyz, GET /metrics
void add_kserve_routes(Routes& routes);        // /v2: KServe's open inference protocol
void add_tei_routes(Routes& routes);           // POST /predict, /embed, /rerank, as Text Embeddings Inference has them
void add_docs_routes(Routes& routes);          // GET /docs, GET /openapi.json
void add_pricing_routes(Routes& routes);       // GET /pricing, /zh/pricing, /sitemap.xml, /robots.txt

void add_sign_up_routes(Routes& routes);  // /api/v1/signup, /signup

// ---- the management API (management.h) ----
void add_second_factor_routes(Routes& routes);  // /api/v1/second-factor
void add_invoices_routes(Routes& routes);       // /api/v1/invoices
void add_credit_notes_routes(Routes& routes);   // /api/v1/credit-notes
void add_tax_rates_routes(Routes& routes);      // /api/v1/tax-rates, /api/v1/billing-details
void add_tenants_routes(Routes& routes);        // /api/v1/tenants
void add_keys_routes(Routes& routes);           // /api/v1/keys
void add_session_routes(Routes& routes);        // /api/v1/session, /api/v1/sessions, /api/v1/password
void add_members_routes(Routes& routes);        // /api/v1/members, /api/v1/invitations
void add_webhooks_routes(Routes& routes);       // /api/v1/webhook-endpoints, /api/v1/webhook-deliveries
void add_payments_routes(Routes& routes);       // /api/v1/payments
void add_refunds_routes(Routes& routes);        // /api/v1/refunds
void add_hooks_routes(Routes& routes);          // POST /hooks/stripe
void add_plans_routes(Routes& routes);          // /api/v1/plans
void add_offers_routes(Routes& routes);         // /api/v1/offers
void add_subscriptions_routes(Routes& routes);  // /api/v1/subscriptions
void add_wallet_routes(Routes& routes);         // /api/v1/wallet, /api/v1/quota
void add_coupons_routes(Routes& routes);        // /api/v1/coupons, /api/v1/coupon-redemptions
void add_partners_routes(Routes& routes);       // /api/v1/partners
void add_economics_routes(Routes& routes);      // /api/v1/economics

Routes make_routes();

}  // namespace rootstock
