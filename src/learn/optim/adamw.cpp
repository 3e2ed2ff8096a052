#include "learn/optim/adamw.h"

#include <ATen/Parallel.h>

#include <cmath>

namespace rootstock {

// The numbers of one step, so that the inner loop only multiplies.
struct AdamW::Factors {
    float gradient, beta1, beta2, keep, rate, root, eps;
};

AdamW::AdamW(Parameters& parameters, const AdamWSettings& settings)
    : settings_(settings),
      first_(torch::zeros_like(parameters.values())),
      second_(torch::zeros_like(parameters.values())) {
    const auto& entries = parameters.entries();
    for (std::size_t begin = 0; begin < entries.size();) {
        std::size_t end = begin;
        std::int64_t count = 0;
        for (; end < entries.size() && entries[end].shape.kind == entries[begin].shape.kind; ++end)
            count += entries[end].shape.elements();
        auto part = [&](const torch::Tensor& all) { return all.narrow(0, entries[begin].offset, count); };
        segments_.push_back({entries[begin].shape.kind, part(parameters.values()), part(parameters.gradients()),
                             part(first_), part(second_)});
        begin = end;
    }
}

void AdamW::step(const Rates& rates, double gradient_scale) {
    torch::NoGradGuard no_gradient;
    ++steps_;
    for (auto& segment : segments_) {
        bool head = segment.kind == ParameterKind::head_weight || segment.kind == ParameterKind::head_bias;
        auto rate = head ? rates.head : rates.low_rank;
        auto numbers = factors(segment, rate, gradient_scale);
        if (segment.value.is_cpu())
            update_here(segment, numbers);
        else
            update_on_device(segment, numbers);
    }
}

AdamW::Factors AdamW::factors(const Segment& segment, double rate, double gradient_scale) const {
    auto t = static_cast<double>(steps_);
    bool vector = segment.kind == ParameterKind::head_bias || segment.kind == ParameterKind::base_vector;
    auto decay = vector ? 0.0 : settings_.weight_decay;
    auto narrow = [](double value) { return static_cast<float>(value); };
    return {narrow(gradient_scale),
            narrow(settings_.beta1),
            narrow(settings_.beta2),
            narrow(1 - rate * decay),
            narrow(rate / (1 - std::pow(settings_.beta1, t))),
            narrow(1 / std::sqrt(1 - std::pow(settings_.beta2, t))),
            narrow(settings_.eps)};
}

void AdamW::update_here(Segment& segment, const Factors& f) {
    constexpr std::int64_t share = 16384;
    at::parallel_for(0, segment.value.numel(), share, [&](std::int64_t begin, std::int64_t end) {
        float* __restrict value = segment.value.data_ptr<float>();
        float* __restrict gradient = segment.gradient.data_ptr<float>();
        float* __restrict first = segment.first.data_ptr<float>();
        float* __restrict second = segment.second.data_ptr<float>();
        for (std::int64_t i = begin; i < end; ++i) {
            float g = gradient[i] * f.gradient;
            first[i] = f.beta1 * first[i] + (1 - f.beta1) * g;
            second[i] = f.beta2 * second[i] + (1 - f.beta2) * g * g;
            value[i] = f.keep * value[i] - f.rate * first[i] / (std::sqrt(second[i]) * f.root + f.eps);
            gradient[i] = 0;
        }
    });
}

void AdamW::update_on_device(Segment& s, const Factors& f) {
    s.gradient.mul_(f.gradient);
    s.first.mul_(f.beta1).add_(s.gradient, 1 - f.beta1);
    s.second.mul_(f.beta2).addcmul_(s.gradient, s.gradient, 1 - f.beta2);
    auto root = s.second.sqrt().mul_(f.root).add_(f.eps);
    s.value.mul_(f.keep).addcdiv_(s.first, root, -f.rate);
    s.gradient.zero_();
}

double gradient_norm(const Parameters& parameters) {
    torch::NoGradGuard no_gradient;
    return parameters.gradients().norm().item<double>();
}

double clip_scale(double norm, double norm_max) {
    return norm_max > 0 && norm > norm_max ? norm_max / (norm + 1e-6) : 1.0;
}

}  // namespace rootstock
