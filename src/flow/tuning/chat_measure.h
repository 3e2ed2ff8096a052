#pragma once
// What a tuned language model is worth, found out as it will be served: on the native executor, beside its base.

#include <memory>
#include <span>

#include "data/data.h"
#include "evaluate/evaluate.h"
#include "infer/infer.h"
#include "model/model.h"

namespace rootstock {

class WritingBench {
public:
    // Loads base and adapter; every error of load_model, load_adapter (with the base's digest) and the executor.
    static Result<WritingBench> open(const std::filesystem::path& base_folder, const std::string& base_digest,
                                     const std::filesystem::path& adapter_folder);

    const TransformerSpec& spec() const { return model_->spec(); }
    std::string description() const { return model_->description(); }

    // Compares the adapter's self-tests with what it says here. conflict: they differ; corrupt: it has none.
    Result<std::string> check();

    // The weighed loss of the rows' words and the share of them that is found likeliest. Memory holds the logits of few
    // tokens at a time, however long a row is.
    Result<WritingMeasures> measure(std::span<const TokenRow> rows, bool with_adapter);

private:
    WritingBench(std::shared_ptr<const NativeModel> model, Tokenizer tokenizer, Adapter adapter,
                 std::shared_ptr<const NativeAdapter> native);

    std::shared_ptr<const NativeModel> model_;
    Tokenizer tokenizer_;
    Adapter adapter_;
    std::shared_ptr<const NativeAdapter> native_;
    Executor executor_;
};

}  // namespace rootstock
