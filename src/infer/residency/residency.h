#pragma once
// Which adapters are in memory. Tens of thousands may be known; an adapter comes in from its folder with its first
// request, on a loader thread, and stays until others need the room: the least recently used goes first, and before
// it the least recently used of those that were asked for only once. One that is evicted while rows of it wait or run
// lives on until they are done.
//
//   cold ──load──> loading ──> ready ──evicted──> cold
//                     └──────> failed ──load, after a while──> loading
//
// What was brought in once leaves a packed copy beside its folder, which is read the next time: a fraction of the work.
// A copy that is missing, damaged or made for something else costs one look at the folder and is made anew.
//
// An adapter proves itself on its self-tests the first time this process loads it; a version never changes, so it need
// not do so again. A failure is remembered for a moment only, longer each time: what was mended is found, and a broken
// adapter that everybody asks for costs one look at its files now and then.
//
// Adapters are known by their version's id, which belongs to one owner and is never given out twice. Who may use one is
// the catalog's question, asked before this one.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/data.h"
#include "model/model.h"
#include "native/native.h"

namespace rootstock {

class TableModel;

struct ResidentAdapter {
    AdapterId id;
    std::shared_ptr<const NativeAdapter> native;
    std::shared_ptr<TableModel> table{};  // instead of it: a table model, which is grafted on nothing
    std::vector<std::string> labels;
    std::int32_t tokens_max = 0;  // longest input, special tokens included
    std::size_t bytes = 0;
};
using ResidentAdapterPtr = std::shared_ptr<const ResidentAdapter>;

struct ResidencyLimits {
    std::size_t bytes_max = std::size_t{512} << 20;  // of all resident adapters; the last one used always stays
    int loader_threads = 2;
    std::size_t waiting_max = 4096;   // requests that wait for a loading; overloaded beyond
    double failure_seconds = 1;       // a first failure is told again so long without a look at the files
    double failure_seconds_max = 60;  // each further failure doubles it, up to this
};

enum class AdapterState { cold, loading, ready, failed };
const char* name(AdapterState state);

// One adapter as it stands now.
struct AdapterStanding {
    AdapterState state = AdapterState::cold;
    std::size_t bytes = 0;  // ready
    Error error = {};       // failed
};

struct ResidencyLoad {
    std::size_t adapters = 0;  // ready
    std::size_t bytes = 0;
    std::size_t loading = 0;
    std::size_t failed = 0;   // whose last loading failed
    std::size_t waiting = 0;  // requests that wait for a loading
    std::uint64_t loads = 0;
    std::uint64_t packed_loads = 0;  // of these, from a packed copy
    std::uint64_t failures = 0;
    std::uint64_t evictions = 0;
    std::uint64_t load_micros = 0;  // spent on all loads
};

// The base model as all of infer needs it.
struct ServedBase {
    std::shared_ptr<const NativeModel> model;
    std::optional<Tokenizer> tokenizer;  // of a model that reads texts
    std::string digest;
    std::vector<std::string> labels = {};        // of the model's own head, when its folder names them
    std::optional<PictureReader> pictures = {};  // of a model that sees
};

class Residency {
public:
    using Done = std::move_only_function<void(Result<ResidentAdapterPtr>)>;

    // How what is wanted comes out of its folder, on a loader thread; `proven`: its self-tests passed before.
    using BringIn = std::function<Result<ResidentAdapterPtr>(const AdapterId& id, const std::filesystem::path& folder,
                                                             bool proven)>;

    Residency(ServedBase base, ResidencyLimits limits = {});
    // Of things that stand on no base model.
    Residency(BringIn bring_in, ResidencyLimits limits);
    ~Residency();  // finishes what is being loaded
    Residency(const Residency&) = delete;
    Residency& operator=(const Residency&) = delete;

    // The adapter if it is in memory, and it counts as used; else null. Never blocks on a file.
    ResidentAdapterPtr find(const AdapterId& id);

    // Brings it in; `done` is called once, on a loader thread, or at once on this one when the answer is known. All
    // callers for one adapter wait for one loading, and those of other adapters do not wait for it while a loader is
    // free. Errors: those of load_adapter and check_self_tests; overloaded (too many wait, or no memory).
    void load(const AdapterId& id, std::filesystem::path folder, Done done);

    AdapterStanding standing(const AdapterId& id) const;
    ResidencyLoad load() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
