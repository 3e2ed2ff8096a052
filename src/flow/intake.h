#pragma once
// The journey of a model into the house (intake.cpp):
//
//   look up     a source seen before needs no network
//   fetch       a package, a repository of the Hub or a folder, into home/downloads
//   check       the executor's own loader reads config, tokenizer and every tensor
//   store       under home/models/<digest>, complete or not at all
//   register    in the catalog, with source and licence

#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/catalog.h"
#include "flow/fetch/fetch.h"
#include "store/store.h"

namespace rootstock {

struct PullOrder {
    std::string source;    // see flow/fetch/source.h
    std::string name;      // for the catalog; empty: from the source
    bool refresh = false;  // fetch again what is already here
};

struct PulledModel {
    catalog::Model model;
    bool was_here = false;  // nothing was stored: the same bytes, or the same source, are known
};

// Errors: those of the source; of load_model, when the files are no model we run; io, with free and needed space, when
// the disk refuses. Whatever happens, models/ holds complete models only; a broken download goes on with the next pull.
Result<PulledModel> pull(store::Database& records, const Home& home, Clock& clock, const PullOrder& order,
                         const FetchProgress& progress);

// The first twelve digits of the digest: what people type and see.
std::string short_id(const catalog::Model& model);

// The base model a command means: by name, digest or a prefix of it. not_found lists the known names; io when the
// record is there and the folder is gone.
Result<catalog::Model> find_base(store::Database& records, const Home& home, const std::string& name_or_digest);

struct ListedModel {
    catalog::Model model;
    std::uint64_t bytes = 0;  // on disk; 0: the folder is gone
    std::string shape;        // "6 layers, 384 wide, 22.7M parameters"
};
Result<std::vector<ListedModel>> list_base_models(store::Database& records, const Home& home);

}  // namespace rootstock
