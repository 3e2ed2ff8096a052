#pragma once
// Which adapters are in memory. An adapter comes in from its folder with its first request, proves itself on its
// self-tests, and stays until others need the room: the least recently used goes first. One that is evicted while rows
// of it wait or run lives on until they are done.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/base.h"
#include "data/data.h"
#include "model/model.h"
#include "native/native.h"

namespace rootstock {

struct ResidentAdapter {
    AdapterId id;
    std::shared_ptr<const NativeAdapter> native;
    std::vector<std::string> labels;
    std::int32_t tokens_max = 0;  // longest input, special tokens included
    std::size_t bytes = 0;
};
using ResidentAdapterPtr = std::shared_ptr<const ResidentAdapter>;

struct ResidencyLimits {
    std::size_t bytes_max = std::size_t{64} << 20;  // of all resident adapters; the last one used always stays
};

struct ResidencyLoad {
    std::size_t adapters = 0;
    std::size_t bytes = 0;
    std::uint64_t loads = 0;
    std::uint64_t evictions = 0;
};

// The base model as all of infer needs it.
struct ServedBase {
    std::shared_ptr<const NativeModel> model;
    Tokenizer tokenizer;
    std::string digest;
};

class Residency {
public:
    using Done = std::move_only_function<void(Result<ResidentAdapterPtr>)>;

    Residency(ServedBase base, ResidencyLimits limits = {});
    ~Residency();  // finishes what is being loaded
    Residency(const Residency&) = delete;
    Residency& operator=(const Residency&) = delete;

    // The adapter if it is in memory, and it counts as used; else null. Never blocks on a file.
    ResidentAdapterPtr find(const AdapterId& id);

    // Loads it on the loader thread, which then calls `done`. Several callers for one adapter wait for one loading.
    // Errors: those of load_adapter and check_self_tests; nothing stays in memory then.
    void load(const AdapterId& id, std::filesystem::path folder, Done done);

    ResidencyLoad load() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
