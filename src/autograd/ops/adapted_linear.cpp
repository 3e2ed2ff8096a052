#include "autograd/ops/adapted_linear.h"

#include "autograd/ops/adapted_product.h"
#include "autograd/ops/frozen_weights.h"

namespace rootstock {

AdaptedLinear::AdaptedLinear(const Model& model, std::vector<LinearMap> maps, const Options& options)
    : placement_(options.placement),
      site_(options.site),
      differentiable_(options.differentiable),
      trained_base_(options.trained_base),
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
    if (parts_.empty()) return;
    ROOTSTOCK_CHECK(!trained_base_ || !placement_.packed(), "the kernels' weights are packed for good");
    if (placement_.packed())
        pack_weights(model, maps);
    else if (!trained_base_)
        hold_weights(model, maps);
}

void AdaptedLinear::pack_weights(const Model& model, const std::vector<LinearMap>& maps) {
    auto weight = stacked_weights(model, maps);
    auto forward = transposed(weight, out_, in_);
    frozen_->forward.emplace(Matrix<const float>{forward.data(), in_, out_, out_}, low_rank_);
    if (differentiable_) frozen_->backward.emplace(Matrix<const float>{weight.data(), out_, in_, in_}, low_rank_);
    frozen_->bias_values = stacked_biases(model, maps);
    frozen_->a.resize(static_cast<std::size_t>(low_rank_ * in_));
    frozen_->scaled_b.resize(static_cast<std::size_t>(b_size_));
}

// A single map in fp32 on the CPU stays where it is, in the mapped file.
void AdaptedLinear::hold_weights(const Model& model, const std::vector<LinearMap>& maps) {
    auto own = [&](const std::vector<float>& values) { return torch::tensor(values, torch::kFloat32); };
    auto weight = maps.size() == 1 ? host_view(model.weights.at(maps[0].module + ".weight"))
                                   : own(stacked_weights(model, maps)).view({out_, in_});
    frozen_->weight = weight.to(placement_.device, placement_.type);
    auto bias = stacked_biases(model, maps);
    if (!bias.empty()) frozen_->bias = own(bias).to(placement_.device, placement_.type);
}

AdaptedLinear::~AdaptedLinear() = default;
AdaptedLinear::AdaptedLinear(AdaptedLinear&&) noexcept = default;

std::vector<ParameterShape> AdaptedLinear::parameter_shapes() const {
    if (low_rank_ == 0) return {};
    return {{name_ + ".a", {low_rank_, in_}, ParameterKind::low_rank},
            {name_ + ".b", {b_size_}, ParameterKind::low_rank}};
}

void AdaptedLinear::bind(const Parameters& parameters) {
    if (trained_base_)
        for (const auto& part : parts_) {
            base_weights_.push_back(parameters.at(part.map.module + ".weight"));
            if (part.map.bias) base_biases_.push_back(parameters.at(part.map.module + ".bias"));
        }
    if (low_rank_ == 0) return;
    a_ = parameters.at(name_ + ".a");
    b_ = parameters.at(name_ + ".b");
}

torch::Tensor AdaptedLinear::forward(const torch::Tensor& x, const Dropout& dropout, bool owns_slack) {
    return placement_.packed() ? forward_kernels(x, dropout, owns_slack) : forward_torch(x, dropout);
}

torch::Tensor AdaptedLinear::weight() const {
    if (!trained_base_) return frozen_->weight;
    auto all = base_weights_.size() == 1 ? base_weights_.front() : torch::cat(base_weights_, 0);
    return all.to(placement_.type);
}

torch::Tensor AdaptedLinear::bias() const {
    if (!trained_base_ || base_biases_.empty()) return frozen_->bias;
    auto all = base_biases_.size() == 1 ? base_biases_.front() : torch::cat(base_biases_, 0);
    return all.to(placement_.type);
}

torch::Tensor AdaptedLinear::forward_torch(const torch::Tensor& x, const Dropout& dropout) const {
    auto y = torch::linear(x, weight(), bias());
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

void AdaptedLinear::stage_low_rank() {
    if (!placement_.packed() || low_rank_ == 0) return;
    const float* a = a_.data_ptr<float>();
    for (std::int64_t row = 0; row < low_rank_; ++row) {
        auto* line = frozen_->a.data() + row * in_;
        for (std::int64_t i = 0; i < in_; ++i) line[i] = to_bf16(a[row * in_ + i]);
        if (frozen_->backward) frozen_->backward->write_extra(row, 0, line, in_);
    }
    for (const auto& part : parts_) {
        for (std::int64_t row = 0; row < part.graft.rank; ++row) {
            auto begin = part.b_offset + row * part.map.out;
            const float* values = b_.data_ptr<float>() + begin;
            auto* line = frozen_->scaled_b.data() + begin;
            for (std::int64_t i = 0; i < part.map.out; ++i) line[i] = to_bf16(part.graft.scale * values[i]);
            frozen_->forward->write_extra(part.low_rank_row + row, part.column, line, part.map.out);
        }
    }
}

torch::Tensor AdaptedLinear::forward_kernels(const torch::Tensor& x, const Dropout& dropout, bool owns_slack) {
    ROOTSTOCK_CHECK(differentiable_ || !x.requires_grad(), "these maps were built for an input without gradient");
    torch::Tensor mask;
    if (low_rank_ > 0 && dropout.active()) mask = dropout.mask(site_, x);
    return adapted_product(x, a_, b_, mask, *this, owns_slack);
}

void AdaptedLinear::write_pairs(std::map<std::string, LoraPair>& pairs) const {
    for (const auto& part : parts_) {
        if (part.graft.rank == 0) continue;
        LoraPair pair{part.graft.rank, part.graft.scale, part.map.in, part.map.out, {}, {}};
        auto a = a_.detach().narrow(0, part.low_rank_row, part.graft.rank).cpu().contiguous();
        auto b = b_.detach().narrow(0, part.b_offset, std::int64_t{part.graft.rank} * part.map.out).cpu().contiguous();
        pair.a.assign(a.data_ptr<float>(), a.data_ptr<float>() + a.numel());
        pair.b = transposed({b.data_ptr<float>(), static_cast<std::size_t>(b.numel())}, part.graft.rank, part.map.out);
        pairs[part.map.module] = std::move(pair);
    }
}

void AdaptedLinear::read_pairs(const std::map<std::string, LoraPair>& pairs) {
    torch::NoGradGuard no_gradient;
    for (const auto& part : parts_) {
        if (part.graft.rank == 0) continue;
        const auto& pair = pairs.at(part.map.module);
        auto b = transposed(pair.b, part.map.out, part.graft.rank);
        a_.narrow(0, part.low_rank_row, part.graft.rank)
            .copy_(torch::tensor(pair.a).view({part.graft.rank, part.map.in}));
        b_.narrow(0, part.b_offset, std::int64_t{part.graft.rank} * part.map.out).copy_(torch::tensor(b));
    }
}

}  // namespace rootstock
