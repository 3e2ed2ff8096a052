#pragma once
// Adapter rows, shared by what reads them and what moves the live pointer.

#include <string>
#include <vector>

#include "catalog/adapters.h"
#include "catalog/columns.h"

namespace rootstock::catalog {

// `rest` follows "FROM adapter a".
template <typename... Args>
std::vector<Adapter> select_adapters(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Adapter> adapters;
    session.for_each<AdapterId, TenantId, std::string, std::int64_t, std::string, std::string, std::string, std::string,
                     std::string, JobId, std::uint64_t, std::string, std::string, Timestamp>(
        "SELECT a.id, a.tenant_id, a.name, a.version, a.state, a.task, a.labels, a.base_digest, a.dataset_digest, "
        "a.job_id, a.seed, a.settings, a.metrics, a.created_at FROM adapter a " +
            rest,
        [&](AdapterId id, TenantId owner, std::string name, std::int64_t version, const std::string& state,
            std::string task, const std::string& labels, std::string base, std::string dataset, JobId job,
            std::uint64_t seed, const std::string& settings, const std::string& metrics, Timestamp created) {
            const auto state_now = state == "candidate" ? AdapterState::candidate
                                   : state == "live"    ? AdapterState::live
                                                        : AdapterState::retired;
            adapters.push_back({std::move(id), std::move(owner), std::move(name), version, state_now, std::move(task),
                                words_column(labels), std::move(base), std::move(dataset), std::move(job), seed,
                                json_column(settings), json_column(metrics), created});
        },
        args...);
    return adapters;
}

// "name@version" taken apart; version 0 when there is none, -1 when it is no number.
struct Reference {
    std::string name;
    std::int64_t version = 0;
};
Reference reference_of(std::string_view text);

// The one sentence for what is missing and for what is somebody else's.
std::unexpected<Error> no_adapter(std::string_view reference);

}  // namespace rootstock::catalog
