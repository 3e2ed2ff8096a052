#pragma once
// A model in a GGUF file as what a Hugging Face folder would hold: config.json, tensors by their Hugging Face names,
// tokenizer.json. The way in (gguf_config, gguf_tensors, gguf_tokenizer .cpp) and the way out (gguf_export.cpp).
//
//   general.architecture   model_type        what GGUF does otherwise
//   llama                  llama, mistral    rows of q and k interleave the halves of each head
//   qwen2                  qwen2
//   gpt2                   gpt2              linear maps stand [out, in] instead of Conv1D's [in, out]
//   bert                   bert              no pooler; tokens carry a mark at word starts instead of ##

#include <filesystem>
#include <map>
#include <string>

#include "base/base.h"
#include "model/files/gguf.h"

namespace rootstock {

struct GgufModel {
    json::object config;  // config.json; numbers as people write them (1e-05, not its nearest float)
    std::map<std::string, HostTensor>
        tensors;                    // by Hugging Face name; blocks stay blocks (copy_as_floats decodes them)
    std::string tokenizer_json;     // text of a tokenizer.json
    json::object tokenizer_config;  // special tokens and chat_template
    std::shared_ptr<const MappedFile> file;
};

// All of it. unsupported: an architecture, option, tensor or tokenizer that we do not map, by name; corrupt: facts are
// missing or contradict each other; otherwise as read_gguf.
Result<GgufModel> read_gguf_model(const std::filesystem::path& path);

// The parts; `what` names the file.
Result<json::object> gguf_config(const Gguf& gguf, std::string_view what);
Result<std::map<std::string, HostTensor>> gguf_tensors(const Gguf& gguf, std::string_view what);
Result<std::string> gguf_tokenizer_json(const Gguf& gguf, std::string_view what);
json::object gguf_tokenizer_config(const Gguf& gguf);

// ---- the way out ----

// tokenizer.ggml.* and tokenizer.chat_template of the side files of a model (tokenizer.json, tokenizer_config.json)
// whose tables have `rows` rows. unsupported: a tokenizer that GGUF has no place for, by name.
using GgufValues = std::map<std::string, GgufValue, std::less<>>;
Result<GgufValues> gguf_vocabulary(const std::map<std::string, std::string>& side_files, const json::object& config,
                                   std::int64_t rows);

// How text is cut into words before byte-level BPE: the parts of a tokenizer.json for a rule's name in
// tokenizer.ggml.pre, and the name of the rule that has such parts (empty: none).
struct GgufWordRule {
    json::value normalizer, pre_tokenizer;
    bool ignore_merges = false;
    bool pairs_as_roberta = false;  // two end tokens between the texts of a pair
};
std::string gguf_word_rule_name(const GgufWordRule& rule);

// ---- names, shared by both ways ----

// "blk.3.attn_q.weight" <-> "model.layers.3.self_attn.q_proj.weight"; empty: no tensor of this architecture.
std::string hugging_face_name(std::string_view architecture, std::string_view gguf_name);
std::string gguf_name(std::string_view architecture, std::string_view hugging_face_name);

// Does the architecture keep this tensor otherwise than Hugging Face does?
enum class GgufLayout { same, rotary_rows, transposed };
GgufLayout gguf_layout(std::string_view architecture, std::string_view gguf_name);

// Rows of `heads` heads, from halves one after the other to halves interleaved, and back.
HostTensor interleaved_rows(const HostTensor& tensor, std::int64_t heads);
HostTensor separated_rows(const HostTensor& tensor, std::int64_t heads);
HostTensor transposed(const HostTensor& matrix);  // blocks become fp32

}  // namespace rootstock
