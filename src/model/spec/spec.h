#pragma once
// One transformer, described once. BERT, GPT-2, Llama, T5, ViT and FT-Transformer are the same architecture with
// options; a family
// (model/families) turns a config.json into these options and its own tensor names into the canonical ones below.
// Whoever runs or adapts a model knows canonical names only.
//
// Into the model
//   embed.tokens.weight [vocabulary, width]        embed.positions.weight [position_rows(spec), width]
//   embed.types.weight [types, width]              embed.norm.{weight,bias} [width]
//   embed.patches.{weight,bias} [width, channels x patch x patch] [width]   (a patch: channel, row, column)
//   embed.class.weight [width]                     embed.distillation.weight [width]
//   embed.numbers.{weight,bias} [numbers, width]   embed.missing.weight [numbers, width]   (of a table's columns)
//   embed.categories.<i>.weight [ids, width]       embed.category_bias.weight [categories, width]
// Each layer; a decoder beside an encoder (T5) has "decoder.layers.<i>" of the same, and the cross maps
//   layers.<i>.query.{weight,bias} [heads x head_width, width]
//   layers.<i>.{key,value}.{weight,bias} [key_value_heads x head_width, width]
//   layers.<i>.attention_output.{weight,bias} [width, heads x head_width]
//   layers.<i>.gate.{weight,bias} [inner, width]   (gated MLP: output(activation(gate x) * (inner x)))
//   layers.<i>.inner.{weight,bias} [inner, width]  layers.<i>.output.{weight,bias} [width, inner]
//   layers.<i>.{attention_norm,output_norm}.{weight,bias} [width]    of the attention and of the MLP
//   decoder.layers.<i>.{cross_query,cross_key,cross_value,cross_attention_output}, cross_norm
// Over a whole stack ("decoder." before it for the decoder's)
//   relative_bias.weight [buckets, heads]          final_norm.{weight,bias} [width]
// Out of the model
//   pooler.{weight,bias} [width, width]            map and activation before a classifier's last map (BERT)
//   head.dense.{weight,bias} [width, width]        the same where it belongs to the classifier (RoBERTa, T5)
//   head.weight [classes or vocabulary, width]     head.bias; head.weight is absent when tied to embed.tokens
//   head.transform.{weight,bias} [width, width]    head.norm.{weight,bias}      of a masked language model
//   head.distillation.{weight,bias}                second classifier, on the distillation token's state
//
// Norms of kind rms have no bias. A module is a linear map's name without ".weight": "layers.3.query", "pooler". A
// map's weight is [out, in], row-major.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace rootstock {

enum class NormKind { layer, rms };
enum class NormPlace { after, before };  // of the residual sum (BERT: after) or of the sub-layer

// How order enters: a learned table added to the embeddings, rotated queries and keys, or a learned number added to
// each score by distance. None: a table's columns have no order but their own embeddings.
enum class Positions { none, learned, rotary, relative_buckets };
enum class AttentionDirection { both_ways, causal };

// gelu_erf: x/2 (1 + erf(x/sqrt 2)); gelu_tanh: its approximation; gelu_quick: x sigmoid(1.702 x); silu: x sigmoid(x)
enum class Activation { gelu_erf, gelu_tanh, gelu_quick, relu, silu, tanh };
enum class Mlp { plain, gated };

// What rows are made of: token ids, the patches of a picture, or the columns of a table.
enum class Inputs { tokens, patches, columns };

// Rotary positions (Su et al., 2021): head numbers i and i + width/2 turn together by position x frequency i.
enum class RotaryScaling {
    none,
    linear,   // all frequencies / factor
    dynamic,  // rows longer than `original`: theta grows with the row's length
    yarn,     // slow frequencies / factor, fast ones kept, a ramp between (Peng et al., 2023)
    llama3    // the same idea by wavelength
};

struct Rotary {
    double theta = 10000;
    int width = 0;  // numbers of each head that turn; the others stay (partial rotary)
    RotaryScaling scaling = RotaryScaling::none;
    double factor = 1;
    int original = 0;  // positions before scaling
    double low = 1;    // llama3: low_freq_factor; yarn: beta_slow
    double high = 1;   // llama3: high_freq_factor; yarn: beta_fast
    double size = 1;   // cosines and sines are multiplied by it (yarn's attention_factor)
};

// Relative positions (Raffel et al., 2020): near distances have a bucket each, far ones share, logarithmically.
struct RelativeBuckets {
    int buckets = 0;
    int distance_max = 0;
};

struct Patches {
    int image = 0;  // pixels of a side
    int patch = 0;
    int channels = 0;
    bool distillation = false;  // a second special token behind the class token
    int per_side() const { return image / patch; }
    int count() const { return per_side() * per_side(); }
    int numbers() const { return channels * patch * patch; }  // of one patch
    int specials() const { return distillation ? 2 : 1; }
};

// A row of a table (Gorishniy et al., 2021): behind the class token one token for each number, x * weight + bias, then
// one for each category, its line of the column's table + the column's bias.
struct Columns {
    int numbers = 0;
    std::vector<int> categories;  // how many ids each column has
    bool missing = false;         // a missing number counts as 0 and adds a learned vector of its column
    int count() const { return numbers + static_cast<int>(categories.size()); }
    int tokens() const { return 1 + count(); }
};

// What stands on top of the last layer.
enum class HeadKind {
    none,
    sequence,   // classes per row, or one number; of an image and of a table's row too
    token,      // classes per token
    span,       // two numbers per token: begins here, ends here
    masked_lm,  // vocabulary per token, after a map and a norm
    causal_lm   // vocabulary per token
};

struct HeadSpec {
    HeadKind kind = HeadKind::none;
    int classes = 0;  // of sequence, token and span heads
    bool bias = true;
    bool dense = false;         // of sequence heads: a map and the pooler's activation of its own before the last map
    bool tied = false;          // the weight is embed.tokens
    double scale = 1;           // on states before the head (T5, tied: width^-0.5)
    bool relu = false;          // on states before a sequence head
    bool distillation = false;  // the mean of two classifiers, on the class and on the distillation token
};

// Which of a row's states a sequence head reads.
enum class Pooling { first, last };

struct TransformerSpec {
    std::string family;     // model_type of config.json: "bert"
    int vocabulary = 0;     // rows of the token embedding
    int positions_max = 0;  // longest row in tokens, special tokens included
    int types = 0;          // token types (segments); 0: none
    int layers = 0;
    int width = 0;  // of the residual stream
    int heads = 0;
    int key_value_heads = 0;  // = heads unless heads share keys and values; divides heads
    int head_width = 0;       // heads x head_width need not be width
    int inner = 0;            // width between the maps of the MLP
    Inputs inputs = Inputs::tokens;
    Patches patches;
    Columns columns;
    NormKind norm = NormKind::layer;
    NormPlace norm_place = NormPlace::after;
    bool embedding_norm = true;  // a norm on the embeddings
    bool first_norm = true;      // norms before: the first layer's attention has one too
    bool final_norm = false;     // a norm after the last layer
    Positions positions = Positions::learned;
    int position_offset = 0;  // row of the first position in the learned table (RoBERTa: pad_id + 1)
    Rotary rotary;
    RelativeBuckets relative;
    AttentionDirection attention = AttentionDirection::both_ways;
    int window = 0;              // causal: a token sees itself and window - 1 before it; 0: all
    int window_first_layer = 0;  // layers below see all
    double score_scale = 0;      // on query x key: head_width^-0.5 in most families, 1 in T5
    Activation activation = Activation::gelu_erf;
    Mlp mlp = Mlp::plain;
    bool query_key_value_biases = true;
    bool attention_output_biases = true;
    bool attention_output = true;  // a map behind the heads' results; without it query_width is width
    bool mlp_biases = true;
    int decoder_layers = 0;  // > 0: a causal decoder stack that also attends to this one's result
    Pooling pooling = Pooling::first;
    bool classifier_pools = false;  // a classifier of this family reads the model's pooler
    bool pooler = false;            // and the model has that map
    bool classifier_dense = false;  // a classifier of this family has a map of its own there: HeadSpec::dense
    Activation pooler_activation = Activation::tanh;
    HeadSpec head;
    double norm_eps = 1e-12;
    double hidden_dropout = 0;        // after embeddings, attention output and MLP output; only while learning
    double attention_dropout = 0;     // on attention weights; only while learning
    double inner_dropout = 0;         // behind the MLP's activation; only while learning
    double classifier_dropout = 0;    // before a classification head; only while learning
    double initializer_range = 0.02;  // standard deviation of a fresh head
    int pad_id = 0;
    int start_id = -1;         // first token of a decoder beside an encoder
    std::vector<int> end_ids;  // tokens that end a generated text

    int query_width() const { return heads * head_width; }
    int key_value_width() const { return key_value_heads * head_width; }
};

// Rows of the learned position table.
int position_rows(const TransformerSpec& spec);

// One linear map: module "layers.0.query", kind "query" (the word that settings and reports use).
struct LinearMap {
    std::string module;
    std::string kind;
    int out = 0;
    int in = 0;
    int layer = -1;  // of its stack; -1: outside the layers
    bool bias = true;
};

// Every linear map that an adapter can be grafted on, in order of execution: the layers, the decoder's layers, the
// pooler.
std::vector<LinearMap> linear_maps(const TransformerSpec& spec);

// The kinds: query key value attention_output (cross_query ...) (gate) inner output, and pooler when the spec has one.
std::vector<std::string> linear_kinds(const TransformerSpec& spec);

// The maps whose kind is in `targets` (all of them when empty); an unknown kind is invalid_argument naming the known.
Result<std::vector<LinearMap>> select_linear_maps(const TransformerSpec& spec, const std::vector<std::string>& targets);

struct TensorShape {
    std::string name;
    std::vector<std::int64_t> shape;
};

// Every tensor a complete model of this spec has, by canonical name; those of its head apart.
std::vector<TensorShape> tensors_of(const TransformerSpec& spec);
std::vector<TensorShape> head_tensors_of(const TransformerSpec& spec);

// "layers.2.attention_norm"; of the decoder beside an encoder "decoder.layers.2.cross_norm"
std::string layer_name(int layer, std::string_view part);
std::string decoder_layer_name(int layer, std::string_view part);
std::string category_table_name(int column);  // "embed.categories.3.weight"

// The frequencies of rotary positions, [rotary.width / 2], for rows of `tokens` tokens (only `dynamic` asks how many).
std::vector<float> rotary_frequencies(const Rotary& rotary, int tokens);

// Row of the relative table for a key that stands `distance` tokens after its query (before it: negative).
int relative_bucket(const RelativeBuckets& relative, int distance, bool both_ways);

}  // namespace rootstock
