#pragma once
// catalog: what there is. Base models, datasets, adapters with their versions and live pointer, files, jobs, tunings,
// batches, predictions and what was said of them.
//
// An adapter version is immutable but for its state: candidate -> live -> retired -> live (rollback). It belongs to
// a tenant or, with an empty tenant id, to the house; adapters of the house are visible to every tenant. Names are
// unique per owner. A foreign adapter answers exactly like a missing one.

#include "catalog/adapters.h"
#include "catalog/batches.h"
#include "catalog/feedback.h"
#include "catalog/files.h"
#include "catalog/jobs.h"
#include "catalog/models.h"
#include "catalog/predictions.h"
#include "catalog/tunings.h"

namespace rootstock::catalog {

std::vector<store::Migration> migrations();

}  // namespace rootstock::catalog
