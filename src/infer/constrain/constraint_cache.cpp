#include "infer/constrain/constraint_cache.h"

namespace rootstock {

CompiledConstraint ConstraintCache::get(const std::string& source, const std::function<CompiledConstraint()>& compile) {
    {
        const std::lock_guard guard(lock_);
        if (const auto found = by_source_.find(source); found != by_source_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return entries_.front().constraint;
        }
    }
    auto made = compile();
    if (!made) return made;
    const std::lock_guard guard(lock_);
    if (by_source_.contains(source)) return made;
    entries_.push_front({source, *made});
    by_source_.emplace(entries_.front().source, entries_.begin());
    bytes_ += source.size();
    make_room();
    return made;
}

void ConstraintCache::make_room() {
    while (!entries_.empty() && (entries_.size() > options_.constraints_max || bytes_ > options_.source_bytes_max)) {
        bytes_ -= entries_.back().source.size();
        by_source_.erase(entries_.back().source);
        entries_.pop_back();
    }
}

std::size_t ConstraintCache::size() const {
    const std::lock_guard guard(lock_);
    return entries_.size();
}

}  // namespace rootstock
