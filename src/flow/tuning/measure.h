#pragma once
// What an adapter is worth, found out as serving will run it: on the native executor.

#include <memory>
#include <optional>

#include "data/data.h"
#include "evaluate/evaluate.h"
#include "model/model.h"
#include "native/native.h"

namespace rootstock {

// A base model and one adapter on it, ready to run here.
class Bench {
public:
    // Loads both; every error of load_model, load_adapter (with the base's digest) and the native executor.
    static Result<Bench> open(const std::filesystem::path& base_folder, const std::string& base_digest,
                              const std::filesystem::path& adapter_folder);

    const Adapter& adapter() const { return adapter_; }
    std::string description() const { return model_->description(); }

    // Compares the adapter's self-tests with what it says here. conflict: they differ; corrupt: it has none.
    // The answer is a sentence for people with the tolerance.
    Result<std::string> check();

    struct Answers {
        std::vector<float> probabilities;  // [rows, classes]
        std::int64_t truncated = 0;        // texts cut to the adapter's length
        double seconds = 0;
    };
    Result<Answers> classify(std::span<const TextExample> examples);

private:
    Bench(std::shared_ptr<const NativeModel> model, Adapter adapter, std::shared_ptr<const NativeAdapter> native);
    Result<void> classify_texts(std::span<const TextExample> examples, Answers& answers);
    Result<void> classify_pictures(std::span<const TextExample> examples, Answers& answers);
    std::span<float> place(Answers& answers, std::size_t example) const;

    std::shared_ptr<const NativeModel> model_;
    std::optional<Tokenizer> tokenizer_;     // of a model that reads texts
    std::optional<PictureReader> pictures_;  // of one that reads pictures
    Adapter adapter_;
    std::shared_ptr<const NativeAdapter> native_;
    Executor executor_;
};

}  // namespace rootstock
