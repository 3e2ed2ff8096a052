#pragma once
// A base model as Hugging Face folders keep it: config.json and model.safetensors (or model.safetensors.index.json
// with its shards), beside tokenizer files that data/ reads; or as one GGUF file, alone or in such a folder.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "model/files/host_tensor.h"
#include "model/files/safetensors.h"
#include "model/spec/spec.h"

namespace rootstock {

// A model's tensors by canonical name. Copies share the mapping; it ends with the last of them.
class Weights {
public:
    Weights() = default;
    Weights(std::map<std::string, HostTensor> tensors, std::vector<std::shared_ptr<const MappedFile>> files);

    const HostTensor& at(std::string_view name) const;    // asserts that it exists: load_model saw to it
    const HostTensor* find(std::string_view name) const;  // null when absent
    const std::map<std::string, HostTensor, std::less<>>& tensors() const { return tensors_; }
    std::int64_t parameters() const;

    // Tells the kernel that the mapped pages are not needed now: they leave our resident memory and come back from the
    // file when touched again. Values stay the same.
    void release_pages() const;

private:
    std::map<std::string, HostTensor, std::less<>> tensors_;
    std::vector<std::shared_ptr<const MappedFile>> files_;
};

struct Model {
    TransformerSpec spec;
    // Exactly tensors_of(spec) and head_tensors_of(spec), each f32, f16, bf16 or, from a GGUF file, blocks.
    Weights weights;
    std::filesystem::path folder;
    std::vector<std::string> labels;  // of a classification head in the folder (id2label); informative
};

// Reads and checks the folder: every tensor of the spec present with its shape, no file truncated.
// not_found (a file is missing), corrupt (bytes contradict themselves), invalid_argument (config.json has a wrong or
// missing field), unsupported (a family or option we do not run, by name). Tensors may be named as the bare encoder
// ("embeddings...") or prefixed ("bert.embeddings..."), norms .weight/.bias or .gamma/.beta; others are ignored.
Result<Model> load_model(const std::filesystem::path& folder);

// The spec that a config.json means; `what` names it in errors.
Result<TransformerSpec> spec_of_config(const json::value& config, std::string_view what);

// config.json alone.
Result<TransformerSpec> load_spec(const std::filesystem::path& folder);

// The files that make the model what it is (weights, config, tokenizer; all at the top of the folder), by name, sorted.
Result<std::vector<std::filesystem::path>> model_files(const std::filesystem::path& folder);

// SHA-256 over the lines "<relative path>\0<sha256 of the file>\n" of model_files(), in their order.
Result<std::string> model_digest(const std::filesystem::path& folder);

}  // namespace rootstock
