#pragma once
// A model as it is kept: its configuration, its tensors under the names of their files, and the files that stand beside
// them. What load_model reads before a family gives canonical names, and what is written out again.
//
//   FOLDER        config.json with model.safetensors, model.safetensors.index.json (and shards), or one .gguf file
//   FILE.gguf     everything in one

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/base.h"
#include "model/files/host_tensor.h"
#include "model/files/safetensors.h"

namespace rootstock {

struct StoredModel {
    json::object config;                                   // config.json; of a GGUF file: what stands for it
    std::map<std::string, HostTensor> tensors;             // by Hugging Face name
    std::vector<std::shared_ptr<const MappedFile>> files;  // that the tensors stand in
};

// not_found, corrupt, invalid_argument or unsupported, as load_model and read_gguf_model.
Result<StoredModel> read_stored_model(const std::filesystem::path& path);
Result<json::object> read_stored_config(const std::filesystem::path& path);

// Tokenizer and card by file name: those of the folder, or of a GGUF file made of its vocabulary.
Result<std::map<std::string, std::string>> read_side_files(const std::filesystem::path& path);

// Writes config.json, tokenizer.json and tokenizer_config.json beside a GGUF file: with them its folder is a model's.
Result<void> unfold_gguf(const std::filesystem::path& gguf);

// A model's tensors under the names and in the form of its family's files, to be written. Families whose maps stand
// transposed there (GPT-2) are not for it (asserted).
struct Model;
StoredModel in_files_spelling(const Model& model, json::object config);

struct ModelFormat {
    Dtype dtype = Dtype::f32;                                // of the weights: F32, F16 or BF16
    bool keep_dtype = false;                                 // each as it is, blocks as F32
    std::uint64_t shard_bytes_max = std::uint64_t{5} << 30;  // a file begins another when it would grow beyond
};

// A folder that transformers loads: config.json in both spellings, model.safetensors or shards with their index, the
// side files. Tied tensors are stored once. Complete or not at all, every file read back; already_exists.
Result<void> write_model_folder(const StoredModel& model, const std::map<std::string, std::string>& side_files,
                                const std::filesystem::path& folder, const ModelFormat& format);

// One GGUF file with its tokenizer: matrices as `dtype` (F32, F16, Q8_0 or Q4_0; asserted; a matrix whose rows fill no
// blocks is F16), norms, biases and tables of positions as F32. Returns the names of the tensors that GGUF has no place
// for and that were left out (the pooler of a BERT). unsupported: an architecture, option, head or tokenizer that it
// has no place for, by name.
Result<std::vector<std::string>> write_gguf_model(const StoredModel& model,
                                                  const std::map<std::string, std::string>& side_files,
                                                  const std::filesystem::path& path, Dtype dtype);

// Adds what older and newer readers look for: torch_dtype and dtype, rope_theta with rope_scaling and rope_parameters,
// architectures, id2label with label2id.
void complete_config(json::object& config, Dtype dtype);

}  // namespace rootstock
