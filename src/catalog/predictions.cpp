#include "catalog/predictions.h"

namespace rootstock::catalog {
namespace {

template <typename... Args>
std::vector<Prediction> select(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Prediction> predictions;
    session.for_each<PredictionId, TenantId, RequestId, std::int64_t, AdapterId, std::string, double, std::string,
                     Timestamp>(
        "SELECT id, tenant_id, request_id, place, adapter_id, label, probability, text_digest, created_at "
        "FROM prediction " +
            rest,
        [&](auto... columns) { predictions.push_back({std::move(columns)...}); }, args...);
    return predictions;
}

}  // namespace

void add_predictions(store::Session& session, std::span<const Prediction> predictions) {
    for (const Prediction& prediction : predictions)
        session.execute(
            "INSERT INTO prediction (id, tenant_id, request_id, place, adapter_id, label, probability, text_digest, "
            "created_at) VALUES (:id, :tenant, :request, :place, :adapter, :label, :probability, :digest, :created)",
            prediction.id, prediction.tenant, prediction.request, prediction.row, prediction.adapter, prediction.label,
            prediction.probability, prediction.text_digest, prediction.created);
}

Result<Prediction> find_prediction(store::Session& session, const TenantId& tenant, const PredictionId& id) {
    auto found = select(session, "WHERE tenant_id = :tenant AND id = :id", tenant, id);
    if (found.empty())
        return fail(ErrorCode::not_found, "there is no prediction '" + id.text() + "'", "prediction",
                    "prediction_not_found");
    return std::move(found.front());
}

std::vector<Prediction> predictions_of(store::Session& session, const TenantId& tenant, const RequestId& request) {
    return select(session, "WHERE tenant_id = :tenant AND request_id = :request ORDER BY place", tenant, request);
}

}  // namespace rootstock::catalog
