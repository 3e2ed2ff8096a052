#include "autograd/executor/placement.h"

#include <cmath>

#include "autograd/kernels/matmul.h"

namespace rootstock {

std::string Placement::description() const {
    std::string text = device.str();
    text += type == torch::kBFloat16 ? ", bfloat16" : ", fp32";
    if (route == Route::packed_products) return text + ", packed products";
    return text + (kernels() ? ", own kernels" : ", libtorch operations");
}

namespace {

// Encoders of BERT's shape, with widths that the kernels' vectors divide.
bool kernels_fit(const TransformerSpec& spec) {
    bool shape = spec.inputs == Inputs::tokens && spec.norm == NormKind::layer && spec.norm_place == NormPlace::after &&
                 spec.embedding_norm && !spec.final_norm && spec.positions == Positions::learned &&
                 spec.attention == AttentionDirection::both_ways && spec.decoder_layers == 0 &&
                 spec.pooling == Pooling::first;
    bool attention = spec.key_value_heads == spec.heads && spec.heads * spec.head_width == spec.width &&
                     std::abs(spec.score_scale * std::sqrt(static_cast<double>(spec.head_width)) - 1) < 1e-6;
    bool maps = spec.mlp == Mlp::plain && spec.activation == Activation::gelu_erf && spec.query_key_value_biases &&
                spec.attention_output_biases && spec.mlp_biases;
    bool widths = spec.width % 16 == 0 && spec.inner % 16 == 0 && spec.head_width % 2 == 0;
    return shape && attention && maps && widths;
}

}  // namespace

Placement choose_placement(const TransformerSpec& spec, bool bf16) {
    if (torch::cuda::is_available())
        return {torch::Device(torch::kCUDA, 0), bf16 ? torch::kBFloat16 : torch::kFloat32, Route::torch_ops};
    if (!bf16 || !bf16_products_available()) return reference_placement();
    if (kernels_fit(spec)) return {torch::kCPU, torch::kBFloat16, Route::kernels};
    bool tokens_alone = spec.inputs == Inputs::tokens && spec.decoder_layers == 0;
    return tokens_alone ? Placement{torch::kCPU, torch::kBFloat16, Route::packed_products} : reference_placement();
}

Placement reference_placement() { return {torch::kCPU, torch::kFloat32, Route::torch_ops}; }

}  // namespace rootstock
