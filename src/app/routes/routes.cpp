#include "app/routes/routes.h"

namespace rootstock {

Routes make_routes() {
    Routes routes;
    add_classify_route(routes);
    add_embeddings_route(routes);
    add_rerank_route(routes);
    add_similarity_route(routes);
    add_extract_route(routes);
    add_answer_span_route(routes);
    add_score_route(routes);
    add_images_route(routes);
    add_moderations_route(routes);
    add_chat_route(routes);
    add_completions_route(routes);
    add_models_routes(routes);
    add_files_routes(routes);
    add_uploads_routes(routes);
    add_fine_tuning_routes(routes);
    add_batches_routes(routes);
    add_organization_routes(routes);
    add_feedback_route(routes);
    add_health_routes(routes);
    add_kserve_routes(routes);
    add_tei_routes(routes);
    add_docs_routes(routes);
    add_pricing_routes(routes);
    add_tenants_routes(routes);
    add_keys_routes(routes);
    add_session_routes(routes);
    add_second_factor_routes(routes);
    add_members_routes(routes);
    add_invoices_routes(routes);
    add_credit_notes_routes(routes);
    add_tax_rates_routes(routes);
    add_webhooks_routes(routes);
    add_payments_routes(routes);
    add_refunds_routes(routes);
    add_hooks_routes(routes);
    add_plans_routes(routes);
    add_offers_routes(routes);
    add_sign_up_routes(routes);
    add_subscriptions_routes(routes);
    add_wallet_routes(routes);
    add_coupons_routes(routes);
    add_partners_routes(routes);
    add_economics_routes(routes);
    return routes;
}

}  // namespace rootstock
