#pragma once
// One transformer, described once. BERT, GPT-2, Llama, T5 and ViT are the same architecture with options; a family
// (model/families) turns a config.json into these options and its own tensor names into the canonical ones below.
// Whoever runs or adapts a model knows canonical names only.
//
//   embed.tokens.weight [vocabulary, width]    embed.positions.weight [positions_max, width]
//   embed.types.weight [types, width]          embed.norm.{weight,bias} [width]
//   layers.<i>.{query,key,value,attention_output}.{weight,bias}   [width, width] [width]
//   layers.<i>.inner.{weight,bias} [inner, width] [inner]         layers.<i>.output.{weight,bias} [width, inner]
//   [width] layers.<i>.{attention_norm,output_norm}.{weight,bias} [width] pooler.{weight,bias} [width, width] [width]
//
// A module is a linear map's name without ".weight": "layers.3.query", "pooler". A map's weight is [out, in],
// row-major.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

enum class NormKind { layer, rms };
enum class NormPlace { after, before };                      // of the residual sum (BERT: after) or of the sub-layer
enum class Positions { learned, rotary, relative_buckets };  // how order enters
enum class AttentionDirection { both_ways, causal };
enum class Activation { gelu_erf, gelu_tanh, relu, silu };  // gelu_erf: x/2 (1 + erf(x/sqrt 2))
enum class Mlp { plain, gated };

struct TransformerSpec {
    std::string family;     // model_type of config.json: "bert"
    int vocabulary = 0;     // rows of the token embedding
    int positions_max = 0;  // longest row in tokens, special tokens included
    int types = 0;          // token types (segments); 0: none
    int layers = 0;
    int width = 0;  // of the residual stream
    int heads = 0;
    int key_value_heads = 0;  // = heads unless heads share keys and values
    int head_width = 0;       // heads x head_width = width in every family so far
    int inner = 0;            // width between the two maps of the MLP
    NormKind norm = NormKind::layer;
    NormPlace norm_place = NormPlace::after;
    Positions positions = Positions::learned;
    AttentionDirection attention = AttentionDirection::both_ways;
    Activation activation = Activation::gelu_erf;
    Mlp mlp = Mlp::plain;
    bool biases = true;   // linear maps carry a bias
    bool pooler = false;  // tanh(map of the first token's state), before a classification head
    double norm_eps = 1e-12;
    double hidden_dropout = 0;        // after embeddings, attention output and MLP output; only while learning
    double attention_dropout = 0;     // on attention weights; only while learning
    double classifier_dropout = 0;    // before a classification head; only while learning
    double initializer_range = 0.02;  // standard deviation of a fresh head
    int pad_id = 0;
};

// One linear map: module "layers.0.query", kind "query" (the word that settings and reports use).
struct LinearMap {
    std::string module;
    std::string kind;
    int out = 0;
    int in = 0;
    int layer = -1;  // -1: outside the layers
};

// Every linear map that an adapter can be grafted on, in order of execution; the pooler is last.
std::vector<LinearMap> linear_maps(const TransformerSpec& spec);

// The kinds: query key value attention_output inner output, and pooler when the spec has one.
std::vector<std::string> linear_kinds(const TransformerSpec& spec);

// The maps whose kind is in `targets` (all of them when empty); an unknown kind is invalid_argument naming the known.
Result<std::vector<LinearMap>> select_linear_maps(const TransformerSpec& spec, const std::vector<std::string>& targets);

struct TensorShape {
    std::string name;
    std::vector<std::int64_t> shape;
};

// Every tensor a complete model of this spec has, by canonical name.
std::vector<TensorShape> tensors_of(const TransformerSpec& spec);

// "layers.2.attention_norm"
std::string layer_name(int layer, std::string_view part);

}  // namespace rootstock
