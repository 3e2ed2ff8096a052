#pragma once
// Feedback: what a tenant says about a prediction of its own. Appended, never overwritten: a second thought is a second
// row, and the newest counts where one is wanted.

#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/ids.h"
#include "catalog/predictions.h"
#include "store/store.h"

namespace rootstock::catalog {

struct Feedback {
    FeedbackId id;
    TenantId tenant;
    PredictionId prediction;
    std::optional<bool> good;  // a rating
    std::string correction;    // the right label; empty: none
    std::string comment;
    Timestamp created;
};

// not_found, reason "prediction_not_found", for a foreign prediction as for a missing one.
Result<void> add_feedback(store::Session& session, const Feedback& feedback);

std::vector<Feedback> feedback_of(store::Session& session, const TenantId& tenant, const PredictionId& prediction);

}  // namespace rootstock::catalog
