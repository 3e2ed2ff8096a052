#include "infer/residency/residency.h"

#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "infer/residency/self_check.h"

namespace rootstock {
namespace {

struct Errand {
    AdapterId id;
    std::filesystem::path folder;
    Residency::Done done;
};

}  // namespace

struct Residency::State {
    State(ServedBase base, ResidencyLimits limits) : base(std::move(base)), limits(limits) {}

    void loop();
    ResidentAdapterPtr use(const AdapterId& id);
    Result<ResidentAdapterPtr> bring_in(const Errand& errand);
    void keep(const ResidentAdapterPtr& adapter);

    ServedBase base;
    ResidencyLimits limits;

    mutable std::mutex mutex;
    std::condition_variable errand_came;
    std::deque<Errand> errands;
    std::list<ResidentAdapterPtr> by_use;  // last used first
    std::map<AdapterId, std::list<ResidentAdapterPtr>::iterator> by_id;
    ResidencyLoad facts;
    bool stopping = false;
    std::thread thread;
};

// With the lock held.
ResidentAdapterPtr Residency::State::use(const AdapterId& id) {
    auto found = by_id.find(id);
    if (found == by_id.end()) return nullptr;
    by_use.splice(by_use.begin(), by_use, found->second);
    return *found->second;
}

void Residency::State::loop() {
    for (;;) {
        Errand errand;
        ResidentAdapterPtr present;
        {
            std::unique_lock lock(mutex);
            errand_came.wait(lock, [&] { return stopping || !errands.empty(); });
            if (errands.empty()) return;
            errand = std::move(errands.front());
            errands.pop_front();
            present = use(errand.id);  // somebody before in the queue wanted the same
        }
        if (present)
            errand.done(present);
        else
            errand.done(bring_in(errand));
    }
}

Result<ResidentAdapterPtr> Residency::State::bring_in(const Errand& errand) {
    const auto& spec = base.model->spec();
    ROOTSTOCK_TRY(adapter, load_adapter(errand.folder, spec, base.digest));
    ROOTSTOCK_TRY(native, NativeAdapter::load(*base.model, adapter));
    Executor executor(base.model);  // the inference thread keeps its own; this one lives for the self-tests only
    ROOTSTOCK_CHECKED(check_self_tests(executor, *native, adapter, base.tokenizer));
    auto resident = std::make_shared<ResidentAdapter>();
    resident->id = errand.id;
    resident->native = native;
    resident->labels = std::move(adapter.labels);
    resident->tokens_max =
        adapter.max_tokens > 0 ? std::min(adapter.max_tokens, spec.positions_max) : spec.positions_max;
    resident->bytes = native->bytes();
    keep(resident);
    return resident;
}

void Residency::State::keep(const ResidentAdapterPtr& adapter) {
    std::lock_guard lock(mutex);
    by_use.push_front(adapter);
    by_id[adapter->id] = by_use.begin();
    facts.bytes += adapter->bytes;
    ++facts.loads;
    while (facts.bytes > limits.bytes_max && by_use.size() > 1) {
        facts.bytes -= by_use.back()->bytes;
        by_id.erase(by_use.back()->id);
        by_use.pop_back();
        ++facts.evictions;
    }
    facts.adapters = by_use.size();
}

Residency::Residency(ServedBase base, ResidencyLimits limits)
    : state_(std::make_unique<State>(std::move(base), limits)) {
    state_->thread = std::thread([state = state_.get()] { state->loop(); });
}

Residency::~Residency() {
    {
        std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->errand_came.notify_one();
    state_->thread.join();
}

ResidentAdapterPtr Residency::find(const AdapterId& id) {
    std::lock_guard lock(state_->mutex);
    return state_->use(id);
}

void Residency::load(const AdapterId& id, std::filesystem::path folder, Done done) {
    {
        std::lock_guard lock(state_->mutex);
        state_->errands.push_back({id, std::move(folder), std::move(done)});
    }
    state_->errand_came.notify_one();
}

ResidencyLoad Residency::load() const {
    std::lock_guard lock(state_->mutex);
    return state_->facts;
}

}  // namespace rootstock
