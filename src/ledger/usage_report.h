#pragma once
// Usage in buckets of time, as programs ask for it: one tenant's, grouped as wanted.

#include <cstdint>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock::ledger {

struct UsageQuery {
    TenantId tenant;
    Timestamp start, end;                 // half-open; start stands on a bucket's edge
    std::int64_t bucket_micros = 0;       // a bucket's length; buckets are counted from 1970
    std::vector<std::string> operations;  // these only; none: all
    std::vector<std::string> models;      // likewise; a model is the adapter that answered, else the base
    std::vector<std::string> keys;        // likewise
    bool by_model = false, by_key = false, by_operation = false;
};

struct UsageSum {
    Timestamp bucket;                   // its start
    std::string model, key, operation;  // empty unless grouped by
    std::int64_t requests = 0, rows = 0, input_tokens = 0, cached_tokens = 0, output_tokens = 0;
    Micros amount;
};

// By bucket, then by what is grouped. Buckets without usage are not there.
std::vector<UsageSum> usage_sums(store::Session& session, const UsageQuery& query);

}  // namespace rootstock::ledger
