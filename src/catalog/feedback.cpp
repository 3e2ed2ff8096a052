#include "catalog/feedback.h"

namespace rootstock::catalog {

Result<void> add_feedback(store::Session& session, const Feedback& feedback) {
    ROOTSTOCK_CHECKED(find_prediction(session, feedback.tenant, feedback.prediction));
    session.execute(
        "INSERT INTO feedback (tenant_id, id, prediction_id, good, correction, comment, created_at) VALUES (:tenant, "
        ":id, :prediction, :good, :correction, :comment, :created)",
        feedback.tenant, feedback.id, feedback.prediction, feedback.good, feedback.correction, feedback.comment,
        feedback.created);
    return {};
}

std::vector<Feedback> feedback_of(store::Session& session, const TenantId& tenant, const PredictionId& prediction) {
    std::vector<Feedback> all;
    session.for_each<FeedbackId, TenantId, PredictionId, std::optional<bool>, std::string, std::string, Timestamp>(
        "SELECT id, tenant_id, prediction_id, good, correction, comment, created_at FROM feedback "
        "WHERE tenant_id = :tenant AND prediction_id = :prediction ORDER BY id",
        [&](auto... columns) { all.push_back({std::move(columns)...}); }, tenant, prediction);
    return all;
}

}  // namespace rootstock::catalog
