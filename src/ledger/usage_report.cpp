#include "ledger/usage_report.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace rootstock::ledger {
namespace {

bool chosen(const std::vector<std::string>& wanted, const std::string& word) {
    return wanted.empty() || std::ranges::find(wanted, word) != wanted.end();
}

void add(UsageSum& sum, const UsageSum& more) {
    sum.requests += more.requests;
    sum.rows += more.rows;
    sum.input_tokens += more.input_tokens;
    sum.cached_tokens += more.cached_tokens;
    sum.output_tokens += more.output_tokens;
    sum.amount = sum.amount + more.amount;
}

// The finest sums; what is not grouped by is folded by the caller.
template <typename OnSum>
void for_each_grain(store::Session& session, const UsageQuery& query, OnSum on_sum) {
    session.for_each<std::int64_t, std::string, std::string, std::string, std::int64_t, std::int64_t, std::int64_t,
                     std::int64_t, std::int64_t, Micros>(
        "SELECT occurred_at / :width AS bucket, CASE WHEN adapter <> '' THEN adapter ELSE model END AS answered_by, "
        "key_id, operation, COUNT(*), CAST(SUM(inputs) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT), "
        "CAST(SUM(cached_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM "
        "usage_event WHERE tenant_id = :tenant AND occurred_at >= :start AND "
        "occurred_at < :end GROUP BY bucket, answered_by, key_id, operation",
        [&](std::int64_t bucket, std::string model, std::string key, std::string operation, std::int64_t requests,
            std::int64_t rows, std::int64_t tokens, std::int64_t cached, std::int64_t written, Micros amount) {
            on_sum(UsageSum{Timestamp{bucket * query.bucket_micros}, std::move(model), std::move(key),
                            std::move(operation), requests, rows, tokens, cached, written, amount});
        },
        query.bucket_micros, query.tenant, query.start, query.end);
}

}  // namespace

std::vector<UsageSum> usage_sums(store::Session& session, const UsageQuery& query) {
    std::map<std::tuple<Timestamp, std::string, std::string, std::string>, UsageSum> folded;
    for_each_grain(session, query, [&](UsageSum grain) {
        if (!chosen(query.operations, grain.operation) || !chosen(query.models, grain.model) ||
            !chosen(query.keys, grain.key))
            return;
        if (!query.by_model) grain.model.clear();
        if (!query.by_key) grain.key.clear();
        if (!query.by_operation) grain.operation.clear();
        auto [place, fresh] = folded.try_emplace({grain.bucket, grain.model, grain.key, grain.operation}, grain);
        if (!fresh) add(place->second, grain);
    });
    std::vector<UsageSum> sums;
    for (auto& [key, sum] : folded) sums.push_back(std::move(sum));
    return sums;
}

}  // namespace rootstock::ledger
