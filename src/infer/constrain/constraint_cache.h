#pragma once
// Constraints that were compiled before, by what they were compiled from: the same schema comes with request after
// request, and its masks are found once. For one vocabulary; safe to use from many threads.

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "infer/constrain/compile.h"

namespace rootstock {

struct ConstraintCacheOptions {
    std::size_t constraints_max = 64;        // the one used longest ago goes first
    std::size_t source_bytes_max = 4 << 20;  // of all they were compiled from
};

class ConstraintCache {
public:
    explicit ConstraintCache(ConstraintCacheOptions options = {}) : options_(options) {}

    // What `compile` gave for this `source`, then or now. Faults are not kept. Two threads may compile the same at
    // once.
    CompiledConstraint get(const std::string& source, const std::function<CompiledConstraint()>& compile);
    std::size_t size() const;

private:
    struct Entry {
        std::string source;
        std::shared_ptr<const Constraint> constraint;
    };
    void make_room();

    ConstraintCacheOptions options_;
    mutable std::mutex lock_;
    std::list<Entry> entries_;  // the one used last in front
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_source_;
    std::size_t bytes_ = 0;
};

}  // namespace rootstock
