#pragma once
// Predictions: what was answered, without the customer's text. Only its digest is kept, so that a later correction
// can be matched with it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::catalog {

struct Prediction {
    PredictionId id;
    TenantId tenant;
    RequestId request;
    std::int64_t row = 0;  // place of the input in the request
    AdapterId adapter;
    std::string label;
    double probability = 0;
    std::string text_digest;  // SHA-256 of the input
    Timestamp created;
};

void add_predictions(store::Session& session, std::span<const Prediction> predictions);

// A tenant's own; not_found, reason "prediction_not_found", for foreign and missing ones alike.
Result<Prediction> find_prediction(store::Session& session, const TenantId& tenant, const PredictionId& id);
std::vector<Prediction> predictions_of(store::Session& session, const TenantId& tenant, const RequestId& request);

}  // namespace rootstock::catalog
