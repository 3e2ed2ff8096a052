#include "infer/residency/residency.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "infer/residency/self_check.h"

namespace rootstock {
namespace {

using Done = Residency::Done;

// What is known of one adapter. Stays when the adapter goes.
struct Entry {
    AdapterId id;
    AdapterState state = AdapterState::cold;
    bool proven = false;                     // its self-tests have passed
    ResidentAdapterPtr adapter = {};         // ready
    bool again = false;                      // ready: used since it came in
    std::list<Entry*>::iterator place = {};  // ready: in `again` or in `once`
    std::vector<Done> waiting = {};          // loading
    Error error = {};                        // failed
    int failures = 0;                        // one after another
    double again_at = 0;                     // failed: until then the error stands, in monotonic_seconds
};

struct Errand {
    Entry* entry;
    std::filesystem::path folder;
    bool proven;
};

}  // namespace

const char* name(AdapterState state) {
    constexpr const char* names[] = {"cold", "loading", "ready", "failed"};
    return names[static_cast<int>(state)];
}

struct Residency::State {
    State(ServedBase base, BringIn other, ResidencyLimits limits)
        : base(std::move(base)), bring_in_other(std::move(other)), limits(limits) {
        for (int i = 0; i < std::max(1, limits.loader_threads); ++i) threads.emplace_back([this] { loop(); });
    }

    void loop();
    void run(const Errand& errand, std::optional<Executor>& executor);
    Result<ResidentAdapterPtr> bring_in(const Errand& errand, std::optional<Executor>& executor);
    Result<PackedAdapter> unpacked(const Errand& errand, std::optional<Executor>& executor, bool copies);
    ResidentAdapterPtr resident(const Errand& errand, PackedAdapter adapter) const;

    // All of these with the lock held.
    ResidentAdapterPtr use(Entry& entry);
    std::optional<Result<ResidentAdapterPtr>> known(Entry& entry);
    void wait_for(Entry& entry, std::filesystem::path folder, Done done);
    void came(Entry& entry, const ResidentAdapterPtr& adapter, std::vector<ResidentAdapterPtr>& evicted);
    void failed(Entry& entry, const Error& error);

    ServedBase base;
    BringIn bring_in_other;  // or none: adapters of the base
    ResidencyLimits limits;

    mutable std::mutex mutex;
    std::condition_variable errand_came;
    std::deque<Errand> errands;
    std::map<AdapterId, Entry> entries;
    // Ready, last used first: those that were used again since they came in, and those that were not and leave first.
    // A customer who comes once then puts none out who comes every minute (segmented LRU: Karedla, Love and Wherry,
    // "Caching strategies to improve disk system performance", 1994).
    std::list<Entry*> again, once;
    std::size_t again_bytes = 0;
    ResidencyLoad facts;
    bool stopping = false;
    std::atomic<std::uint64_t> packed_loads = 0;
    std::atomic<bool> told_of_copies = false;  // that they cannot be written: said once
    std::vector<std::thread> threads;
};

ResidentAdapterPtr Residency::State::use(Entry& entry) {
    if (!entry.again) again_bytes += entry.adapter->bytes;
    again.splice(again.begin(), entry.again ? again : once, entry.place);
    entry.again = true;
    while (again_bytes > limits.bytes_max / 5 * 4 && again.size() > 1) {  // the rest stays for those who come new
        Entry& last = *again.back();
        again_bytes -= last.adapter->bytes;
        once.splice(once.begin(), again, last.place);
        last.again = false;
    }
    return entry.adapter;
}

// What can be answered without a loading.
std::optional<Result<ResidentAdapterPtr>> Residency::State::known(Entry& entry) {
    if (entry.state == AdapterState::ready) return use(entry);
    if (entry.state == AdapterState::failed && monotonic_seconds() < entry.again_at) return fail(entry.error);
    if (facts.waiting >= limits.waiting_max)
        return fail(ErrorCode::overloaded, "too many requests wait for their models to come in; come back in a moment",
                    {}, "loading_full");
    return std::nullopt;
}

void Residency::State::wait_for(Entry& entry, std::filesystem::path folder, Done done) {
    entry.waiting.push_back(std::move(done));
    ++facts.waiting;
    if (entry.state == AdapterState::loading) return;
    if (entry.state == AdapterState::failed) --facts.failed;
    entry.state = AdapterState::loading;
    ++facts.loading;
    errands.push_back({&entry, std::move(folder), entry.proven});
    errand_came.notify_one();
}

void Residency::State::came(Entry& entry, const ResidentAdapterPtr& adapter, std::vector<ResidentAdapterPtr>& evicted) {
    entry.state = AdapterState::ready;
    entry.proven = true;
    entry.failures = 0;
    entry.adapter = adapter;
    entry.again = false;
    entry.place = once.insert(once.begin(), &entry);
    facts.bytes += adapter->bytes;
    ++facts.loads;
    while (facts.bytes > limits.bytes_max && again.size() + once.size() > 1) {
        auto& from = once.size() > 1 || again.empty() ? once : again;  // never the one that has just come
        Entry& last = *from.back();
        from.pop_back();
        facts.bytes -= last.adapter->bytes;
        if (last.again) again_bytes -= last.adapter->bytes;
        evicted.push_back(std::move(last.adapter));
        last.state = AdapterState::cold;
        ++facts.evictions;
    }
    facts.adapters = again.size() + once.size();
}

void Residency::State::failed(Entry& entry, const Error& error) {
    entry.state = AdapterState::failed;
    entry.error = error;
    const double pause = std::ldexp(limits.failure_seconds, std::min(entry.failures++, 30));
    entry.again_at = monotonic_seconds() + std::min(pause, limits.failure_seconds_max);
    ++facts.failed;
    ++facts.failures;
}

// A packed copy spares the work where nothing has to be proven.
Result<ResidentAdapterPtr> Residency::State::bring_in(const Errand& errand, std::optional<Executor>& executor) {
    auto packed = NativeAdapter::load_packed(*base.model, errand.folder, base.digest);
    const bool usable = packed && (errand.proven || !packed->has_self_tests);
    if (usable) ++packed_loads;
    if (!usable) {
        const bool copied = packed.has_value();
        ROOTSTOCK_TRY(made, unpacked(errand, executor, !copied));
        packed = std::move(made);
    }
    return resident(errand, std::move(*packed));
}

// From the folder itself, proven on its self-tests; leaves a packed copy when `copies`.
Result<PackedAdapter> Residency::State::unpacked(const Errand& errand, std::optional<Executor>& executor, bool copies) {
    auto stamp = adapter_stamp(errand.folder);  // before the rest is read: what changes meanwhile makes the copy stale
    ROOTSTOCK_TRY(adapter, load_adapter(errand.folder, base.model->spec(), base.digest));
    ROOTSTOCK_TRY(native, NativeAdapter::load(*base.model, adapter));
    if (!errand.proven && !adapter.self_tests.empty()) {
        if (!executor) executor.emplace(base.model, 1);
        ROOTSTOCK_CHECKED(base.tokenizer ? check_self_tests(*executor, *native, adapter, *base.tokenizer)
                                         : check_self_tests(*executor, *native, adapter));
    }
    if (copies && stamp) {
        const auto saved = native->save_packed(*base.model, errand.folder, *stamp, adapter, base.digest);
        if (!saved && !told_of_copies.exchange(true))
            spdlog::warn("packed copies of adapters cannot be kept, loading them stays slow: {}",
                         saved.error().message);
    }
    return PackedAdapter{native, std::move(adapter.task), std::move(adapter.labels), adapter.max_tokens,
                         !adapter.self_tests.empty()};
}

ResidentAdapterPtr Residency::State::resident(const Errand& errand, PackedAdapter adapter) const {
    const int positions = base.model->spec().positions_max;
    auto resident = std::make_shared<ResidentAdapter>();
    resident->id = errand.entry->id;
    resident->labels = std::move(adapter.labels);
    resident->tokens_max = adapter.max_tokens > 0 ? std::min(adapter.max_tokens, positions) : positions;
    resident->bytes = adapter.native->bytes();
    resident->native = std::move(adapter.native);
    return resident;
}

void Residency::State::run(const Errand& errand, std::optional<Executor>& executor) {
    const double begin = monotonic_seconds();
    Result<ResidentAdapterPtr> loaded;
    try {
        loaded = bring_in_other ? bring_in_other(errand.entry->id, errand.folder, errand.proven)
                                : bring_in(errand, executor);
    } catch (const std::bad_alloc&) {
        loaded = fail(ErrorCode::overloaded, "there is no memory for this model now; come back in a moment");
    }
    std::vector<Done> waiting;
    std::vector<ResidentAdapterPtr> evicted;  // let go without the lock
    {
        const std::lock_guard lock(mutex);
        Entry& entry = *errand.entry;
        waiting.swap(entry.waiting);
        facts.waiting -= waiting.size();
        --facts.loading;
        facts.load_micros += static_cast<std::uint64_t>((monotonic_seconds() - begin) * 1e6);
        loaded ? came(entry, *loaded, evicted) : failed(entry, loaded.error());
    }
    for (auto& done : waiting) done(loaded);
}

void Residency::State::loop() {
    std::optional<Executor> executor;  // for self-tests, on this thread alone; the inference thread keeps its own
    for (;;) {
        Errand errand;
        {
            std::unique_lock lock(mutex);
            errand_came.wait(lock, [&] { return stopping || !errands.empty(); });
            if (errands.empty()) return;
            errand = std::move(errands.front());
            errands.pop_front();
        }
        run(errand, executor);
    }
}

Residency::Residency(ServedBase base, ResidencyLimits limits)
    : state_(std::make_unique<State>(std::move(base), nullptr, limits)) {}

Residency::Residency(BringIn bring_in, ResidencyLimits limits)
    : state_(std::make_unique<State>(ServedBase{}, std::move(bring_in), limits)) {}

Residency::~Residency() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->errand_came.notify_all();
    for (auto& thread : state_->threads) thread.join();
}

ResidentAdapterPtr Residency::find(const AdapterId& id) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->entries.find(id);
    if (found == state_->entries.end() || found->second.state != AdapterState::ready) return nullptr;
    return state_->use(found->second);
}

void Residency::load(const AdapterId& id, std::filesystem::path folder, Done done) {
    std::optional<Result<ResidentAdapterPtr>> answer;
    {
        const std::lock_guard lock(state_->mutex);
        Entry& entry = state_->entries.try_emplace(id, Entry{id}).first->second;
        answer = state_->known(entry);
        if (!answer) state_->wait_for(entry, std::move(folder), std::move(done));
    }
    if (answer) done(std::move(*answer));
}

AdapterStanding Residency::standing(const AdapterId& id) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->entries.find(id);
    if (found == state_->entries.end()) return {};
    const auto& entry = found->second;
    return {entry.state, entry.adapter ? entry.adapter->bytes : 0,
            entry.state == AdapterState::failed ? entry.error : Error{}};
}

ResidencyLoad Residency::load() const {
    const std::lock_guard lock(state_->mutex);
    auto facts = state_->facts;
    facts.packed_loads = state_->packed_loads;
    return facts;
}

}  // namespace rootstock
