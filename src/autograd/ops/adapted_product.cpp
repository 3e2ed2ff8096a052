#include "autograd/ops/adapted_product.h"

#include "autograd/ops/frozen_weights.h"
#include "autograd/ops/panel.h"

namespace rootstock {

namespace {

Matrix<const Bf16> view(const std::vector<Bf16>& values, std::int64_t offset, std::int64_t rows, std::int64_t columns) {
    return {values.data() + offset, rows, columns, columns};
}

// The kernel route as one differentiable step. Saved: x as a panel with A x in its slack, so that the gradient of B
// finds it there; the mask when there was one.
class AdaptedProduct : public torch::autograd::Function<AdaptedProduct> {
public:
    static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                                 const OptionalTensor& /*a*/, const OptionalTensor& /*b*/,
                                 const OptionalTensor& optional_mask, const AdaptedLinear* linear, bool owns_slack) {
        auto mask = or_undefined(optional_mask);
        const auto& frozen = linear->frozen();
        auto panel = owns_slack ? as_panel(x, linear->slack()) : copy_to_panel(x, linear->slack());
        auto low_rank_input = mask.defined() ? as_rows(panel * mask) : panel;
        if (linear->slack() > 0) {
            auto low = whole_panel(panel).columns_from(linear->in(), linear->slack());
            multiply_transposed(matrix_of(low_rank_input), view(frozen.a, 0, linear->slack(), linear->in()), low);
        }
        auto y = empty_panel(x.size(0), linear->out(), 0);
        frozen.forward->multiply(whole_panel(panel), frozen.bias_or_null(), matrix_of(y));
        context->saved_data["linear"] = reinterpret_cast<std::int64_t>(linear);
        context->save_for_backward({panel, mask.defined() ? low_rank_input : torch::Tensor(), mask});
        context->saved_data["wants_x"] = x.requires_grad();
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto* linear = reinterpret_cast<const AdaptedLinear*>(context->saved_data["linear"].toInt());
        auto saved = context->get_saved_variables();
        const auto &panel = saved[0], &mask = saved[2];
        const auto& low_rank_input = mask.defined() ? saved[1] : panel;
        auto upstream = as_panel(gradients[0], linear->slack());
        auto low = whole_panel(upstream).columns_from(linear->out(), linear->slack());
        torch::Tensor dx, da, db;
        if (linear->slack() > 0) {
            gradient_of_low(*linear, upstream, low);
            da = torch::empty({linear->slack(), linear->in()}, torch::kFloat32);
            multiply_over_rows(low, matrix_of(low_rank_input),
                               {da.data_ptr<float>(), linear->slack(), linear->in(), linear->in()});
            db = gradient_of_b(*linear, upstream, panel);
        }
        if (context->saved_data["wants_x"].toBool()) dx = gradient_of_x(*linear, upstream, mask, low);
        return {dx, da, db, {}, {}, {}};
    }

private:
    // dy_i (scale_i B_i), into the slack of dy.
    static void gradient_of_low(const AdaptedLinear& linear, const torch::Tensor& upstream, Matrix<Bf16> low) {
        for (const auto& part : linear.parts()) {
            if (part.graft.rank == 0) continue;
            multiply_transposed(matrix_of(upstream).columns_from(part.column, part.map.out),
                                view(linear.frozen().scaled_b, part.b_offset, part.graft.rank, part.map.out),
                                low.columns_from(part.low_rank_row, part.graft.rank));
        }
    }

    static torch::Tensor gradient_of_b(const AdaptedLinear& linear, const torch::Tensor& upstream,
                                       const torch::Tensor& panel) {
        const auto& last = linear.parts().back();
        std::int64_t size = last.b_offset + std::int64_t{last.graft.rank} * last.map.out;
        auto db = torch::empty({size}, torch::kFloat32);
        auto low = whole_panel(panel).columns_from(linear.in(), linear.slack());
        for (const auto& part : linear.parts()) {
            if (part.graft.rank == 0) continue;
            multiply_over_rows(low.columns_from(part.low_rank_row, part.graft.rank),
                               matrix_of(upstream).columns_from(part.column, part.map.out),
                               {db.data_ptr<float>() + part.b_offset, part.graft.rank, part.map.out, part.map.out});
            db.narrow(0, part.b_offset, part.graft.rank * part.map.out).mul_(part.graft.scale);
        }
        return db;
    }

    static torch::Tensor gradient_of_x(const AdaptedLinear& linear, const torch::Tensor& upstream,
                                       const torch::Tensor& mask, Matrix<Bf16> low) {
        const auto& frozen = linear.frozen();
        auto rows = upstream.size(0);
        auto dx = empty_panel(rows, linear.in(), 0);
        if (!mask.defined()) {
            frozen.backward->multiply(whole_panel(upstream), nullptr, matrix_of(dx));
            return dx;
        }
        // The mask stands between A and x, so the update's share is a product of its own.
        auto share = empty_panel(rows, linear.in(), 0);
        multiply(low, view(frozen.a, 0, linear.slack(), linear.in()), matrix_of(share));
        auto plain = copy_to_panel(upstream, linear.slack());
        auto whole = whole_panel(plain);
        for (std::int64_t row = 0; row < rows; ++row)
            std::fill(whole.row(row) + linear.out(), whole.row(row) + whole.columns, Bf16{0});
        frozen.backward->multiply(whole, nullptr, matrix_of(dx));
        return dx.add_(share.mul_(mask));
    }
};

}  // namespace

torch::Tensor adapted_product(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                              const torch::Tensor& mask, const AdaptedLinear& linear, bool owns_slack) {
    return AdaptedProduct::apply(x, if_defined(a), if_defined(b), if_defined(mask), &linear, owns_slack);
}

}  // namespace rootstock
