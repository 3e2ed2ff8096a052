#pragma once
// What stands inside NativeModel and NativeAdapter; private to native/.

#include <vector>

#include "native/kernels/attention.h"
#include "native/kernels/linear.h"
#include "native/kernels/low_rank.h"
#include "native/native.h"

namespace rootstock {

struct NormWeights {
    const float* weight = nullptr;
    const float* bias = nullptr;  // null: RMS norm
};

struct LayerWeights {
    Linear qkv;  // query, key and value in one product: [query_width + 2 key_value_width, width]
    Linear attention_output;
    Linear cross_query, cross_key_value, cross_output;  // of a decoder beside an encoder
    Linear gate, inner, output;                         // gate: of a gated MLP, with the activation in it
    NormWeights attention_norm, cross_norm, output_norm;
    int window = 0;  // Sight::window
};

// The layers of an encoder or of a decoder, and what stands around them.
struct StackWeights {
    std::vector<LayerWeights> layers;
    NormWeights final_norm;       // weight null: none
    std::vector<float> relative;  // [buckets, heads], divided by the score scale; or empty
    bool causal = false;
};

// An embedding table that stays in its mapped file.
struct Table {
    HostTensor tensor;
    int width = 0;

    // Row `index` as floats: in place, or converted into `scratch` [width].
    const float* row(std::int32_t index, float* scratch) const;
};

// How the columns of a table become tokens, each [columns, width].
struct ColumnWeights {
    std::vector<float> number_weights, number_biases, missing, category_biases;
    std::vector<Table> categories;
};

// The model's own head: a small one in fp32, or one over the vocabulary as a product.
struct HeadWeights {
    Head classifier, distillation;  // of sequence, token and span heads
    Linear words;                   // of language models
    Linear transform;               // of masked ones, with the norm behind it
    NormWeights norm;
};

struct NativeModel::Parts {
    TransformerSpec spec;
    Precision precision = Precision::fp32;
    int threads = 1;
    std::string note;  // why the precision is not the one asked for; or empty
    Arena arena{0};
    Table tokens, positions, types;
    Linear patches;
    ColumnWeights columns;
    std::vector<float> specials;  // [specials, width] class and distillation token, positions not yet added
    NormWeights embed_norm;       // weight null: none
    StackWeights encoder;         // the only stack of most models
    StackWeights decoder;         // beside the encoder (T5)
    Linear pooler;
    HeadWeights head;

    Element element() const { return precision == Precision::fp32 ? Element::fp32 : Element::bf16; }
    AttentionShape attention() const {
        return {spec.heads, spec.head_width, spec.key_value_heads, static_cast<float>(spec.score_scale)};
    }
    bool has_two_stacks() const { return spec.decoder_layers > 0; }
};

// One adapter's updates of one layer; an empty LowRank where it has none.
struct LayerUpdates {
    LowRank qkv, attention_output, cross_query, cross_key_value, cross_output, gate, inner, output;
};

struct NativeAdapter::Parts {
    std::uint64_t serial = 0;
    int width = 0, inner = 0, query_width = 0, key_value_width = 0;
    Element element = Element::fp32;
    Arena arena{0};
    std::vector<LayerUpdates> layers, decoder_layers;
    LowRank pooler;
    Head head;

    bool fits(const NativeModel::Parts& model) const {
        return width == model.spec.width && inner == model.spec.inner && query_width == model.spec.query_width() &&
               key_value_width == model.spec.key_value_width() && element == model.element() &&
               layers.size() == model.encoder.layers.size() && decoder_layers.size() == model.decoder.layers.size();
    }
};

}  // namespace rootstock
