#include "autograd/ops/sequence_ops.h"

#include <cmath>

#include "autograd/kernels/attention.h"
#include "autograd/kernels/gelu.h"
#include "autograd/kernels/norm.h"
#include "autograd/ops/panel.h"

namespace rootstock {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

namespace {

void keep(AutogradContext* context, Slack slack) { context->saved_data["slack"] = slack.gradient; }
std::int64_t gradient_slack(AutogradContext* context) { return context->saved_data["slack"].toInt(); }

// ---------------------------------------------------------------------------------------------- GELU

class KernelGelu : public Function<KernelGelu> {
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, Slack slack, bool learns) {
        auto result = empty_panel(x.size(0), x.size(1), slack.result);
        auto slope = learns ? empty_panel(x.size(0), x.size(1), 0) : torch::Tensor();
        gelu_forward(matrix_of(x), matrix_of(result), learns ? matrix_of(slope) : Matrix<Bf16>{});
        context->save_for_backward({slope});
        keep(context, slack);
        return result;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto slope = context->get_saved_variables()[0];
        auto upstream = as_rows(gradients[0]);
        auto result = empty_panel(slope.size(0), slope.size(1), gradient_slack(context));
        gelu_backward(matrix_of(upstream), matrix_of(slope), matrix_of(result));
        return {result, {}, {}};
    }
};

// ---------------------------------------------------------------------------------------------- residual and norm

NormWeights weights_of(const Norm& norm) {
    return {norm.weight.data_ptr<float>(), norm.bias.data_ptr<float>(), static_cast<float>(norm.eps)};
}

NormTrace trace_of(const torch::Tensor& xhat, const torch::Tensor& scale) {
    return {matrix_of(xhat), scale.data_ptr<float>()};
}

class KernelAddNorm : public Function<KernelAddNorm> {
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& residual,
                                 const Norm* norm, Slack slack, bool learns) {
        auto rows = x.size(0), width = x.size(1);
        auto result = empty_panel(rows, width, slack.result);
        torch::Tensor xhat, scale;
        NormTrace trace;
        if (learns) {
            xhat = empty_panel(rows, width, 0);
            scale = torch::empty({rows}, torch::kFloat32);
            trace = trace_of(xhat, scale);
        }
        add_norm_forward(matrix_of(x), matrix_of(residual), weights_of(*norm), matrix_of(result), trace);
        context->save_for_backward({xhat, scale});
        context->saved_data["norm"] = reinterpret_cast<std::int64_t>(norm);
        keep(context, slack);
        return result;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const auto* norm = reinterpret_cast<const Norm*>(context->saved_data["norm"].toInt());
        auto upstream = as_rows(gradients[0]);
        auto result = empty_panel(saved[0].size(0), saved[0].size(1), gradient_slack(context));
        add_norm_backward(matrix_of(upstream), trace_of(saved[0], saved[1]), weights_of(*norm), matrix_of(result));
        return {result, result, {}, {}, {}};
    }
};

torch::Tensor norm_fp32(const torch::Tensor& x, const Norm& norm) {
    if (norm.kind == NormKind::layer) return torch::layer_norm(x, {x.size(1)}, norm.weight, norm.bias, norm.eps);
    return x * torch::rsqrt(x.square().mean(1, true) + norm.eps) * norm.weight;
}

// ---------------------------------------------------------------------------------------------- attention

AttentionRows rows_of(const StagedBatch& batch, const AttentionShape& shape) {
    return {batch.offsets, shape.first_only ? batch.ordinals : batch.offsets, shape.heads, shape.head_width,
            1.0f / std::sqrt(static_cast<float>(shape.head_width))};
}

// The three matrices inside the tensors that carry them.
template <typename Three>
Three split(const torch::Tensor& queries, const torch::Tensor& keys_values, std::int64_t width) {
    auto first = matrix_of(queries);
    if (!keys_values.defined())
        return {first.columns_from(0, width), first.columns_from(width, width), first.columns_from(2 * width, width)};
    auto second = matrix_of(keys_values);
    return {first.columns_from(0, width), second.columns_from(0, width), second.columns_from(width, width)};
}

class KernelAttention : public Function<KernelAttention> {
public:
    static torch::Tensor forward(AutogradContext* context, const torch::Tensor& queries,
                                 const OptionalTensor& optional_keys_values, const StagedBatch* batch,
                                 AttentionShape shape, Slack slack) {
        auto keys_values = or_undefined(optional_keys_values);
        auto result = empty_panel(queries.size(0), shape.width(), slack.result);
        auto log_sums = torch::empty({queries.size(0), shape.heads}, torch::kFloat32);
        attention_forward(rows_of(*batch, shape), split<AttentionInputs>(queries, keys_values, shape.width()),
                          matrix_of(result), log_sums.data_ptr<float>());
        context->save_for_backward({queries, keys_values, log_sums});
        context->saved_data["offsets"] = torch::tensor(batch->offsets, torch::kInt32);
        context->saved_data["first_only"] = shape.first_only;
        context->saved_data["heads"] = shape.heads;
        context->saved_data["head_width"] = shape.head_width;
        keep(context, slack);
        return result;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const auto &queries = saved[0], &keys_values = saved[1], &log_sums = saved[2];
        AttentionShape shape{context->saved_data["heads"].toInt(), context->saved_data["head_width"].toInt(),
                             context->saved_data["first_only"].toBool()};
        auto batch = batch_of(context->saved_data["offsets"].toTensor());
        auto slack = gradient_slack(context);
        auto upstream = as_rows(gradients[0]);
        bool apart = keys_values.defined();
        auto dqueries = empty_panel(queries.size(0), queries.size(1), apart ? 0 : slack);
        auto dkeys_values = apart ? empty_panel(keys_values.size(0), keys_values.size(1), slack) : torch::Tensor();
        attention_backward(rows_of(batch, shape), split<AttentionInputs>(queries, keys_values, shape.width()),
                           log_sums.data_ptr<float>(), matrix_of(upstream),
                           split<AttentionGradients>(dqueries, dkeys_values, shape.width()));
        return {dqueries, dkeys_values, {}, {}, {}};
    }

private:
    static StagedBatch batch_of(const torch::Tensor& offsets) {
        StagedBatch batch;
        const auto* values = offsets.data_ptr<std::int32_t>();
        batch.offsets.assign(values, values + offsets.numel());
        for (std::int32_t row = 0; row < offsets.numel(); ++row) batch.ordinals.push_back(row);
        return batch;
    }
};

// Each image's special tokens and patches: [rows * tokens of an image, width], fp32.
torch::Tensor embed_patches(const EmbeddingWeights& weights, const StagedBatch& batch) {
    auto width = weights.patch_weight.size(0);
    auto patches = torch::linear(batch.patches, weights.patch_weight, weights.patch_bias).view({batch.rows, -1, width});
    std::vector<torch::Tensor> all;
    for (const auto& token : {weights.class_token, weights.distillation_token})
        if (token.defined()) all.push_back(token.view({1, 1, width}).expand({batch.rows, 1, width}));
    all.push_back(patches);
    return torch::cat(all, 1).reshape({batch.tokens, width});
}

// Each row's class token, numbers and categories: [rows * tokens of a row, width], fp32.
torch::Tensor embed_columns(const EmbeddingWeights& weights, const StagedBatch& batch) {
    auto width = weights.class_token.size(0);
    std::vector<torch::Tensor> all{weights.class_token.view({1, 1, width}).expand({batch.rows, 1, width})};
    if (weights.number_weight.defined()) {
        auto tokens = batch.numbers.unsqueeze(2) * weights.number_weight + weights.number_bias;
        if (weights.missing.defined()) tokens = tokens + batch.missing.unsqueeze(2) * weights.missing;
        all.push_back(tokens);
    }
    std::vector<torch::Tensor> categories;
    for (std::size_t i = 0; i < weights.category_tables.size(); ++i)
        categories.push_back(
            weights.category_tables[i].index_select(0, batch.categories.select(1, static_cast<std::int64_t>(i))));
    if (!categories.empty()) all.push_back(torch::stack(categories, 1) + weights.category_bias);
    return torch::cat(all, 1).reshape({batch.tokens, width});
}

torch::Tensor summed_embeddings(const EmbeddingWeights& weights, const StagedBatch& batch) {
    if (weights.patch_weight.defined()) return embed_patches(weights, batch);
    return batch.of_columns ? embed_columns(weights, batch) : weights.tokens.index_select(0, batch.ids);
}

torch::Tensor embed_torch(const EmbeddingWeights& weights, const StagedBatch& batch, const Placement& placement) {
    auto sum = summed_embeddings(weights, batch);
    if (weights.positions.defined())
        sum = sum + weights.positions.index_select(0, batch.positions + weights.position_offset);
    if (weights.types.defined()) sum = sum + weights.types.index_select(0, batch.type_ids);
    if (weights.norm.defined()) sum = norm_fp32(sum, weights.norm);
    return sum.to(placement.stream());
}

torch::Tensor activate_torch(const torch::Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::gelu_erf:
            return torch::gelu(x);
        case Activation::gelu_tanh:
            return torch::gelu(x, "tanh");
        case Activation::gelu_quick:
            return x * torch::sigmoid(1.702 * x);
        case Activation::relu:
            return torch::relu(x);
        case Activation::silu:
            return torch::silu(x);
        case Activation::tanh:
            return torch::tanh(x);
    }
    ROOTSTOCK_CHECK(false, "every activation has its line above");
}

}  // namespace

torch::Tensor activate(const torch::Tensor& x, Activation activation, const Placement& placement, Slack slack) {
    if (!placement.kernels()) return activate_torch(x, activation);
    ROOTSTOCK_CHECK(activation == Activation::gelu_erf, "the placement was chosen for this spec");
    return KernelGelu::apply(x, slack, torch::GradMode::is_enabled() && x.requires_grad());
}

torch::Tensor apply_norm(const torch::Tensor& x, const Norm& norm) {
    return norm_fp32(x.to(torch::kFloat32), norm).to(x.scalar_type());
}

torch::Tensor add_norm(const torch::Tensor& x, const torch::Tensor& residual, const Norm& norm,
                       const Placement& placement, Slack slack) {
    if (!placement.kernels())
        return norm_fp32(x.to(torch::kFloat32) + residual.to(torch::kFloat32), norm).to(x.scalar_type());
    bool learns = torch::GradMode::is_enabled() && (x.requires_grad() || residual.requires_grad());
    return KernelAddNorm::apply(x, residual, &norm, slack, learns);
}

torch::Tensor kernel_attention(const torch::Tensor& queries, const torch::Tensor& keys_values, const StagedBatch& batch,
                               const AttentionShape& shape, Slack slack) {
    return KernelAttention::apply(queries, if_defined(keys_values), &batch, shape, slack);
}

torch::Tensor embed(const EmbeddingWeights& weights, const StagedBatch& batch, const Placement& placement,
                    std::int64_t slack) {
    if (!placement.kernels()) return embed_torch(weights, batch, placement);
    torch::NoGradGuard frozen;
    auto result = empty_panel(batch.places, weights.tokens.size(1), slack);
    EmbeddingTables tables{weights.tokens.data_ptr<float>(),
                           weights.positions.data_ptr<float>() + weights.position_offset * weights.positions.size(1),
                           weights.types.defined() ? weights.types.data_ptr<float>() : nullptr};
    EmbeddingIndices indices{batch.ids.data_ptr<std::int64_t>(), batch.positions.data_ptr<std::int64_t>(),
                             batch.type_ids.data_ptr<std::int64_t>()};
    embed_norm_forward(tables, indices, weights_of(weights.norm), matrix_of(result));
    return result;
}

}  // namespace rootstock
