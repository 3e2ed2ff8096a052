#pragma once
// Adapters: low-rank updates (LoRA, Hu et al., 2021) of a base model's linear maps, and a head.
//
//   y = W x + b + scale * B (A x)      A [rank, in], B [out, rank], scale = alpha / rank (rsLoRA: alpha / sqrt(rank))
//   logits = head(tanh(pooler(state of the first token)))                    BERT
//   logits = head(activation(dense(state of the first or last token)))       RoBERTa, DistilBERT, T5: dense is the
//   head's logits = head(state of the first or last token)                          ViT, GPT-2, Llama
//
// On disk a folder in the format of the peft library, which loads ours as we load its:
//   adapter_config.json         peft_type LORA, ranks, scales, target modules, modules saved whole
//   adapter_model.safetensors   base_model.model.<module path>.lora_{A,B}.weight, and the head under its family's
//   names:
//                               base_model.model.classifier.{weight,bias}, .score.weight,
//                               .classifier.{dense,out_proj}.*
//   README.md                   a short card
//   rootstock.json              what peft does not keep: {format 1, task, labels, base_digest, max_tokens, self_tests,
//                               lineage}
// A folder without rootstock.json (somebody else's adapter) loads too: labels LABEL_0..., no digest, no self-tests.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/base.h"
#include "model/spec/spec.h"

namespace rootstock {

struct LoraPair {
    int rank = 0;
    float scale = 1;
    int in = 0;
    int out = 0;
    std::vector<float> a;  // [rank, in]
    std::vector<float> b;  // [out, rank]
    // DoRA (Liu et al., 2024): rows of W + scale B A are brought to these lengths. Empty: plain LoRA, rows stay as they
    // are. load_adapter fills it only when asked for: an executor that ignored it would answer wrongly.
    std::vector<float> magnitude = {};  // [out]
};

struct Head {
    int classes = 0;  // 0: the adapter has no head
    int width = 0;
    std::vector<float> weight;  // [classes, width]
    std::vector<float> bias;    // [classes]; zero where the family's classifiers have none
    // The map before, with the pooler's activation behind it; empty where the family's classifiers have none.
    std::vector<float> dense_weight = {};  // [width, width]
    std::vector<float> dense_bias = {};    // [width]
};

// What the adapter answered when it was made; whoever loads it asks again and compares.
struct SelfTest {
    std::string text;
    std::vector<std::int32_t> ids;  // the tokens of the text; may be empty
    std::vector<float> logits;      // of the head's classes, or of `words`
    // Of a language model (task "chat"): what is said behind the first `place` tokens. The text, when there is one,
    // holds its special tokens; without one the ids are given.
    std::vector<std::int32_t> words = {};  // of the vocabulary
    std::int32_t place = 0;
    std::int64_t picture = -1;  // of vision models, instead of a text: the number of a made-up picture
};

// The made-up picture of a number, as a vision model of this spec takes it: [channels, side, side], normally
// distributed. Whoever checks an adapter needs no file for it.
std::vector<float> made_up_picture(const TransformerSpec& spec, std::int64_t number);

struct Adapter {
    std::string task = "classify";          // "chat": a language model's, without a head; "embed": neither
    LoraSettings settings;                  // rank and scale of a pair that differs stand in the pair
    std::map<std::string, LoraPair> pairs;  // by module: "layers.0.query"
    Head head;
    std::vector<std::string> labels;  // [head.classes]
    std::string base_digest;          // of the base it was made on; empty: unknown
    std::string base_name;            // base_model_name_or_path, for people and for peft
    int max_tokens = 0;               // longest row it was made for; 0: the base's limit
    std::vector<SelfTest> self_tests;
    json::object lineage;  // dataset digest, settings, seed, metrics: kept as given
    json::object extra;    // fields of rootstock.json that we do not know: kept
};

// GPT-2's and Llama's classifiers ("score") have no bias, in memory a bias of zeros.
bool classifier_has_bias(const TransformerSpec& spec);

// The scale of a pair of rank `rank` under `settings`.
float lora_scale(const LoraSettings& settings, int rank);

// Writes the folder complete or not at all; it must not exist yet (already_exists). The adapter must fit the spec
// (asserted: whoever made it had the spec).
Result<void> save_adapter(const std::filesystem::path& folder, const Adapter& adapter, const TransformerSpec& spec);

// Reads and checks the folder against the model. `base_digest` not empty: an adapter that says it was made on another
// base is refused (conflict). not_found, corrupt, invalid_argument (shapes that do not fit this model),
// unsupported (DoRA unless `with_dora`, trained biases, other adapter kinds..., by name).
Result<Adapter> load_adapter(const std::filesystem::path& folder, const TransformerSpec& spec,
                             const std::string& base_digest = {}, bool with_dora = false);

// 64 characters that change whenever a file of the folder is written anew: a digest of the folder's name and of the
// sizes and times of its files. not_found when it is no adapter's folder.
Result<std::string> adapter_stamp(const std::filesystem::path& folder);

}  // namespace rootstock
