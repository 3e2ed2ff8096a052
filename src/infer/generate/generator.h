#pragma once
// Lets a language model write on: prompts in, texts out, all rows of a call in one batch a step.
//
// Decoders read the prompt and go on from it. A model with an encoder (T5) reads the prompt there, and its decoder
// begins with the model's start token.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "infer/constrain/constraint.h"
#include "infer/generate/generate_options.h"
#include "native/native.h"

namespace rootstock {

struct BeamOptions {
    int beams = 4;
    int tokens_max = 256;
    double length_penalty = 1;  // a text's score is its log-probability / length^penalty
};

struct Generated {
    std::vector<std::int32_t> ids;  // new tokens only
    Finish finish = Finish::length;
    double score = 0;  // of a beam search
};

// Hears each new token of each row as it comes; false ends that row.
using TokenListener = std::function<bool(std::size_t row, std::int32_t id)>;

// One caller at a time. Its cache has room for `cache_tokens` tokens of all rows together.
class Generator {
public:
    static Result<Generator> make(std::shared_ptr<const NativeModel> model, int cache_tokens = 8192);

    // Under a constraint, all rows keep to it. Errors: those of Executor::extend() and check(SamplingOptions).
    Result<std::vector<Generated>> generate(std::span<const std::vector<std::int32_t>> prompts,
                                            const GenerateOptions& options, RowAdapters adapters = {},
                                            const TokenListener& listener = {}, const Constraint* constraint = nullptr);

    // The most probable text that `beams` hypotheses side by side find (as transformers' generate with num_beams).
    Result<Generated> search(std::span<const std::int32_t> prompt, const BeamOptions& options,
                             const NativeAdapter* adapter = nullptr);

private:
    Generator(std::shared_ptr<const NativeModel> model, Cache cache);

    // Closes what a call opened.
    class Sequences {
    public:
        explicit Sequences(Cache& cache) : cache_(cache) {}
        ~Sequences() {
            for (const int sequence : all_) cache_.close(sequence);
        }
        Sequences(const Sequences&) = delete;
        Sequences& operator=(const Sequences&) = delete;

        void open() { all_.push_back(cache_.open()); }
        std::span<const int> all() const { return all_; }
        int operator[](std::size_t row) const { return all_[row]; }

    private:
        Cache& cache_;
        std::vector<int> all_;
    };

    // Opens a sequence per prompt and gives the tokens that its decoder reads first.
    Result<PackedBatch> begin(std::span<const std::vector<std::int32_t>> prompts, RowAdapters adapters,
                              Sequences& sequences);
    bool ends(std::int32_t id) const;

    std::shared_ptr<const NativeModel> model_;
    Cache cache_;
    Executor executor_;
};

}  // namespace rootstock
