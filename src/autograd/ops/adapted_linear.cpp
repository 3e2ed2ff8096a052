#include "autograd/ops/adapted_linear.h"

#include <cmath>

#include "autograd/kernels/parallel.h"
#include "autograd/ops/frozen_weights.h"
#include "autograd/ops/panel.h"

namespace rootstock {

namespace {

// Row-major [rows, columns] -> [columns, rows].
std::vector<float> transposed(const float* values, std::int64_t rows, std::int64_t columns) {
    std::vector<float> result(static_cast<std::size_t>(rows * columns));
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c)
            result[static_cast<std::size_t>(c * rows + r)] = values[r * columns + c];
    return result;
}

Matrix<const Bf16> view(const std::vector<Bf16>& values, std::int64_t offset, std::int64_t rows, std::int64_t columns) {
    return {values.data() + offset, rows, columns, columns};
}

}  // namespace

AdaptedLinear::AdaptedLinear(const Model& model, std::vector<LinearMap> maps, const Options& options)
    : placement_(options.placement),
      site_(options.site),
      differentiable_(options.differentiable),
      frozen_(std::make_unique<Frozen>()) {
    for (const auto& map : maps) {
        auto graft = options.grafts.find(map.module);
        Part part{map, graft == options.grafts.end() ? GraftShape{} : graft->second, out_, low_rank_, b_size_};
        name_ += (name_.empty() ? "" : "+") + map.module;
        in_ = map.in;
        out_ += map.out;
        low_rank_ += part.graft.rank;
        b_size_ += static_cast<std::int64_t>(part.graft.rank) * map.out;
        parts_.push_back(std::move(part));
    }
    auto weight = stacked_weights(model, maps);
    auto bias = stacked_biases(model, maps);
    if (placement_.kernels()) {
        auto forward = transposed(weight.data(), out_, in_);
        frozen_->forward.emplace(Matrix<const float>{forward.data(), in_, out_, out_}, low_rank_);
        if (differentiable_) frozen_->backward.emplace(Matrix<const float>{weight.data(), out_, in_, in_}, low_rank_);
        frozen_->bias_values = std::move(bias);
        frozen_->a.resize(static_cast<std::size_t>(low_rank_ * in_));
        frozen_->scaled_b.resize(static_cast<std::size_t>(b_size_));
        return;
    }
    auto move = [&](const std::vector<float>& values, std::vector<std::int64_t> shape) {
        return torch::tensor(values, torch::kFloat32).view(shape).to(placement_.device, placement_.type);
    };
    frozen_->weight =
        maps.size() == 1
            ? host_view(model.weights.at(maps[0].module + ".weight")).to(placement_.device, placement_.type)
            : move(weight, {out_, in_});
    if (!bias.empty()) frozen_->bias = move(bias, {out_});
}

AdaptedLinear::~AdaptedLinear() = default;
AdaptedLinear::AdaptedLinear(AdaptedLinear&&) noexcept = default;

std::vector<ParameterShape> AdaptedLinear::parameter_shapes() const {
    if (low_rank_ == 0) return {};
    return {{name_ + ".a", {low_rank_, in_}, ParameterKind::low_rank},
            {name_ + ".b", {b_size_}, ParameterKind::low_rank}};
}

void AdaptedLinear::bind(const Parameters& parameters) {
    if (low_rank_ == 0) return;
    a_ = parameters.at(name_ + ".a");
    b_ = parameters.at(name_ + ".b");
}

torch::Tensor AdaptedLinear::forward(const torch::Tensor& x, const Dropout& dropout, bool owns_slack) {
    return placement_.kernels() ? forward_kernels(x, dropout, owns_slack) : forward_torch(x, dropout);
}

torch::Tensor AdaptedLinear::forward_torch(const torch::Tensor& x, const Dropout& dropout) const {
    auto y = torch::linear(x, frozen_->weight, frozen_->bias);
    if (low_rank_ == 0) return y;
    auto dropped = dropout.active() ? x * dropout.mask(site_, x) : x;
    auto low = torch::linear(dropped, a_.to(x.scalar_type()));
    std::vector<torch::Tensor> updates;
    for (const auto& part : parts_) {
        if (part.graft.rank == 0) {
            updates.push_back(torch::zeros({x.size(0), part.map.out}, x.options()));
            continue;
        }
        auto b = b_.narrow(0, part.b_offset, part.graft.rank * part.map.out).view({part.graft.rank, part.map.out});
        auto own = low.narrow(1, part.low_rank_row, part.graft.rank);
        updates.push_back(torch::matmul(own, b.to(x.scalar_type())) * part.graft.scale);
    }
    return y + torch::cat(updates, 1);
}

// The optimiser moved A and B: round them to bfloat16 and put them where the products read them.
void AdaptedLinear::stage_low_rank() {
    const float* a = a_.data_ptr<float>();
    const float* b = b_.data_ptr<float>();
    parallel_ranges(low_rank_, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            auto* line = frozen_->a.data() + row * in_;
            for (std::int64_t i = 0; i < in_; ++i) line[i] = to_bf16(a[row * in_ + i]);
            if (frozen_->backward) frozen_->backward->write_extra(row, 0, line, in_);
        }
    });
    for (const auto& part : parts_) {
        parallel_ranges(part.graft.rank, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const float* values = b + part.b_offset + row * part.map.out;
                auto* line = frozen_->scaled_b.data() + part.b_offset + row * part.map.out;
                for (std::int64_t i = 0; i < part.map.out; ++i) line[i] = to_bf16(part.graft.scale * values[i]);
                frozen_->forward->write_extra(part.low_rank_row + row, part.column, line, part.map.out);
            }
        });
    }
}

namespace {

// The kernel route as one differentiable step. Saved: x as a panel with A x in its slack, so that the gradient of B
// finds it there; the mask when there was one.
class AdaptedProduct : public torch::autograd::Function<AdaptedProduct> {
public:
    static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                                 const c10::optional<torch::Tensor>& /*a*/, const c10::optional<torch::Tensor>& /*b*/,
                                 const c10::optional<torch::Tensor>& optional_mask, const AdaptedLinear* linear,
                                 bool owns_slack) {
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
        const auto& frozen = linear->frozen();
        auto saved = context->get_saved_variables();
        const auto &panel = saved[0], &mask = saved[2];
        const auto& low_rank_input = mask.defined() ? saved[1] : panel;
        auto upstream = as_panel(gradients[0], linear->slack());
        auto low = whole_panel(upstream).columns_from(linear->out(), linear->slack());
        torch::Tensor dx, da, db;
        if (linear->slack() > 0) {
            for (const auto& part : linear->parts()) {
                if (part.graft.rank == 0) continue;
                multiply_transposed_b(upstream, part, frozen, low);
            }
            da = torch::empty({linear->slack(), linear->in()}, torch::kFloat32);
            multiply_over_rows(low, matrix_of(low_rank_input),
                               {da.data_ptr<float>(), linear->slack(), linear->in(), linear->in()});
            db = gradient_of_b(*linear, upstream, panel);
        }
        if (context->saved_data["wants_x"].toBool()) dx = gradient_of_x(*linear, upstream, mask, low);
        return {dx, da, db, {}, {}, {}};
    }

private:
    // dy_i (scale_i B_i): the gradient of A_i x, into the slack of dy.
    static void multiply_transposed_b(const torch::Tensor& upstream, const AdaptedLinear::Part& part,
                                      const AdaptedLinear::Frozen& frozen, Matrix<Bf16> low) {
        multiply_transposed(matrix_of(upstream).columns_from(part.column, part.map.out),
                            view(frozen.scaled_b, part.b_offset, part.graft.rank, part.map.out),
                            low.columns_from(part.low_rank_row, part.graft.rank));
    }

    static torch::Tensor gradient_of_b(const AdaptedLinear& linear, const torch::Tensor& upstream,
                                       const torch::Tensor& panel) {
        std::int64_t size = linear.parts().back().b_offset +
                            std::int64_t{linear.parts().back().graft.rank} * linear.parts().back().map.out;
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

torch::Tensor AdaptedLinear::forward_kernels(const torch::Tensor& x, const Dropout& dropout, bool owns_slack) {
    if (low_rank_ > 0) stage_low_rank();
    ROOTSTOCK_CHECK(differentiable_ || !x.requires_grad(), "these maps were built for an input without gradient");
    torch::Tensor mask;
    if (low_rank_ > 0 && dropout.active()) mask = dropout.mask(site_, x);
    return AdaptedProduct::apply(x, if_defined(a_), if_defined(b_), if_defined(mask), this, owns_slack);
}

void AdaptedLinear::write_pairs(std::map<std::string, LoraPair>& pairs) const {
    for (const auto& part : parts_) {
        if (part.graft.rank == 0) continue;
        LoraPair pair{part.graft.rank, part.graft.scale, part.map.in, part.map.out, {}, {}};
        auto a = a_.detach().narrow(0, part.low_rank_row, part.graft.rank).cpu().contiguous();
        auto b = b_.detach().narrow(0, part.b_offset, std::int64_t{part.graft.rank} * part.map.out).cpu().contiguous();
        pair.a.assign(a.data_ptr<float>(), a.data_ptr<float>() + a.numel());
        pair.b = transposed(b.data_ptr<float>(), part.graft.rank, part.map.out);
        pairs[part.map.module] = std::move(pair);
    }
}

void AdaptedLinear::read_pairs(const std::map<std::string, LoraPair>& pairs) {
    torch::NoGradGuard no_gradient;
    for (const auto& part : parts_) {
        if (part.graft.rank == 0) continue;
        const auto& pair = pairs.at(part.map.module);
        auto b = transposed(pair.b.data(), part.map.out, part.graft.rank);
        a_.narrow(0, part.low_rank_row, part.graft.rank)
            .copy_(torch::tensor(pair.a).view({part.graft.rank, part.map.in}));
        b_.narrow(0, part.b_offset, std::int64_t{part.graft.rank} * part.map.out).copy_(torch::tensor(b));
    }
}

}  // namespace rootstock
