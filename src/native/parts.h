#pragma once
// What stands inside NativeModel and NativeAdapter; private to native/.

#include <vector>

#include "native/kernels/linear.h"
#include "native/kernels/low_rank.h"
#include "native/native.h"

namespace rootstock {

struct NormWeights {
    const float* weight = nullptr;
    const float* bias = nullptr;
};

struct LayerWeights {
    Linear qkv;  // query, key and value in one product: [3 width, width]
    Linear attention_output, inner, output;
    NormWeights attention_norm, output_norm;
};

// An embedding table that stays in its mapped file.
struct Table {
    HostTensor tensor;
    int width = 0;

    // Row `index` as floats: in place, or converted into `scratch` [width].
    const float* row(std::int32_t index, float* scratch) const;
};

struct NativeModel::Parts {
    TransformerSpec spec;
    Precision precision = Precision::fp32;
    int threads = 1;
    std::string note;  // why the precision is not the one asked for; or empty
    Arena arena{0};
    Table tokens, positions, types;
    NormWeights embed_norm;
    std::vector<LayerWeights> layers;
    Linear pooler;
    bool has_pooler = false;

    Element element() const { return precision == Precision::bf16 ? Element::bf16 : Element::fp32; }
};

// One adapter's updates of one layer; an empty LowRank where it has none.
struct LayerUpdates {
    LowRank qkv, attention_output, inner, output;
};

struct NativeAdapter::Parts {
    int width = 0, inner = 0;
    Element element = Element::fp32;
    Arena arena{0};
    std::vector<LayerUpdates> layers;
    LowRank pooler;
    Head head;

    bool fits(const NativeModel::Parts& model) const {
        return width == model.spec.width && inner == model.spec.inner && element == model.element() &&
               layers.size() == model.layers.size();
    }
};

}  // namespace rootstock
