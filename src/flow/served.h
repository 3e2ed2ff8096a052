#pragma once
// The base models that one server answers with. Each has its own queue and inference thread, and its own adapters in
// memory; an adapter finds its base by the digest it was grafted on. Built once at start, unchanged until the end.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "catalog/catalog.h"
#include "flow/chat.h"
#include "infer/infer.h"

namespace rootstock {

struct ServedSettings {
    NativeOptions native;
    SchedulerSettings scheduler;
    ResidencyLimits residency;  // of each base model
    WriterSettings writer;      // of each language model
    // Called on an inference thread after each run, or step of writing.
    std::function<void(const std::string& base, const BatchFacts& facts)> on_batch;
    std::function<void(const std::string& base, const StepFacts& facts)> on_step;
};

// Has the model a head of its own that tells classes apart, or one that a cross-encoder ranks with?
bool classifies(const TransformerSpec& spec);
bool ranks(const TransformerSpec& spec);

// One base model with all that works on it. Taken down in reverse order: the threads end before the model goes.
struct ServedModel {
    ServedModel(std::string name, std::string digest, Timestamp added, ServedBase base, Result<ChatForm> chat)
        : name(std::move(name)),
          digest(std::move(digest)),
          added(added),
          base(std::move(base)),
          chat(std::move(chat)) {}

    std::string name;  // as the catalog calls it: chooses the price
    std::string digest;
    Timestamp added;
    ServedBase base;
    Result<ChatForm> chat;  // why it cannot talk, when it cannot
    std::unique_ptr<Scheduler> scheduler;
    std::unique_ptr<Residency> residency;
    std::unique_ptr<Writer> writer;  // of a language model; else null

    const TransformerSpec& spec() const { return base.model->spec(); }
    bool reads_text() const { return spec().inputs == Inputs::tokens; }
    // Does the caller mean this one? By name, by digest, or by 8 and more digits of it.
    bool is_called(std::string_view model) const;

    // What it can write under a constraint; made when it is first asked for, from any thread. unsupported.
    Result<std::shared_ptr<const OutputVocabulary>> vocabulary() const;
    ConstraintCache& constraints() const { return constraints_; }

private:
    mutable ConstraintCache constraints_;
    mutable std::mutex making_;
    mutable std::optional<Result<std::shared_ptr<const OutputVocabulary>>> vocabulary_;
};

class ServedModels {
public:
    // Loads them all, in this order. invalid_argument: two of one name. Else the errors of load_model,
    // Tokenizer::load and NativeModel::load.
    static Result<ServedModels> open(std::span<const catalog::Model> chosen, const Home& home,
                                     const ServedSettings& settings);

    std::span<const std::unique_ptr<ServedModel>> all() const { return models_; }
    const ServedModel* called(std::string_view model) const;      // null: none
    const ServedModel* of_digest(std::string_view digest) const;  // null: none
    std::string names() const;                                    // "all-minilm-l6-v2, smollm2"

private:
    std::vector<std::unique_ptr<ServedModel>> models_;
};

}  // namespace rootstock
