#pragma once
// catalog: what there is. Base models, datasets, adapters with their versions and live pointer, jobs, predictions.
//
// An adapter version is immutable but for its state: candidate -> live -> retired -> live (rollback). It belongs to
// a tenant or, with an empty tenant id, to the house; adapters of the house are visible to every tenant. Names are
// unique per owner. A foreign adapter answers exactly like a missing one.

#include "catalog/adapters.h"
#include "catalog/jobs.h"
#include "catalog/models.h"
#include "catalog/predictions.h"

namespace rootstock::catalog {

std::vector<store::Migration> migrations();

}  // namespace rootstock::catalog
