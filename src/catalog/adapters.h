#pragma once
// Adapter versions and the live pointer.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::catalog {

enum class AdapterState { candidate, live, retired };
const char* name(AdapterState state);

struct Adapter {
    AdapterId id;
    TenantId owner;  // empty: the house
    std::string name;
    std::int64_t version = 0;
    AdapterState state = AdapterState::candidate;
    std::string task;  // "classify"
    std::vector<std::string> labels;
    // lineage
    std::string base_digest, dataset_digest;
    JobId job;  // may be empty
    std::uint64_t seed = 0;
    json::value settings;  // as trained
    json::value metrics;   // as measured on held-out rows
    Timestamp created;

    std::string reference() const { return name + "@" + std::to_string(version); }
};

// 1-63 characters of a-z 0-9 . _ -, beginning with a letter or digit; the same rule for adapters and new models.
Result<void> check_name(std::string_view name);

// Registers the next version of owner/name as a candidate. version, state and created of `adapter` are ignored, its
// id is the folder's name under adapters/. Returns the record. already_exists for an id seen before.
Result<Adapter> add_adapter(store::Session& session, Adapter adapter, Timestamp now);

// What a tenant means by "name" (the live version) or "name@version": its own first, then the house's. A name that
// begins with "ft:" is one that a tuning job of its own gave (tunings.h).
// Own versions in any state; the house's only when live or retired. An empty tenant is the house itself (command
// line): it sees its own. not_found, reason "model_not_found", param "model".
Result<Adapter> resolve(store::Session& session, const TenantId& tenant, std::string_view reference);

// The owner's adapters, or with everybody=true those of all owners; by owner, name, version.
std::vector<Adapter> list_adapters(store::Session& session, const TenantId& owner, bool everybody = false);

// The live versions a tenant can call: its own, and the house's whose names it does not use itself.
std::vector<Adapter> visible_adapters(store::Session& session, const TenantId& tenant);

struct Promotion {
    Adapter live;
    std::string before;  // reference of the version that was live, empty if none was
};

// Makes a version live and retires the one before. "name" takes the newest version.
// not_found as resolve; conflict, reason "already_live".
Result<Promotion> promote(store::Session& session, const TenantId& owner, std::string_view reference, Timestamp now);

// Back to the version that was live before. conflict, reason "nothing_before".
Result<Promotion> rollback(store::Session& session, const TenantId& owner, std::string_view name, Timestamp now);

}  // namespace rootstock::catalog
