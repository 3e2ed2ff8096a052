#include "learn/optim/adamw.h"

#include <cmath>

namespace rootstock {

AdamW::AdamW(Parameters& parameters, const AdamWSettings& settings)
    : settings_(settings),
      first_(torch::zeros_like(parameters.values())),
      second_(torch::zeros_like(parameters.values())),
      scratch_(torch::zeros_like(parameters.values())) {
    const auto& entries = parameters.entries();
    for (std::size_t begin = 0; begin < entries.size();) {
        std::size_t end = begin;
        std::int64_t count = 0;
        for (; end < entries.size() && entries[end].shape.kind == entries[begin].shape.kind; ++end)
            count += entries[end].shape.elements();
        auto part = [&](const torch::Tensor& all) { return all.narrow(0, entries[begin].offset, count); };
        segments_.push_back({entries[begin].shape.kind, part(parameters.values()), part(parameters.gradients()),
                             part(first_), part(second_), part(scratch_)});
        begin = end;
    }
}

void AdamW::step(const Rates& rates) {
    torch::NoGradGuard no_gradient;
    ++steps_;
    for (auto& segment : segments_)
        update(segment, segment.kind == ParameterKind::low_rank ? rates.low_rank : rates.head);
}

void AdamW::update(Segment& s, double rate) const {
    auto t = static_cast<double>(steps_);
    double correction1 = 1 - std::pow(settings_.beta1, t), correction2 = 1 - std::pow(settings_.beta2, t);
    s.first.mul_(settings_.beta1).add_(s.gradient, 1 - settings_.beta1);
    s.second.mul_(settings_.beta2).addcmul_(s.gradient, s.gradient, 1 - settings_.beta2);
    torch::sqrt_out(s.scratch, s.second).div_(std::sqrt(correction2)).add_(settings_.eps);
    if (s.kind != ParameterKind::head_bias) s.value.mul_(1 - rate * settings_.weight_decay);
    s.value.addcdiv_(s.first, s.scratch, -rate / correction1);
}

double clip_gradients(Parameters& parameters, double norm_max) {
    torch::NoGradGuard no_gradient;
    auto norm = parameters.gradients().norm().item<double>();
    if (norm_max > 0 && norm > norm_max) parameters.gradients().mul_(norm_max / (norm + 1e-6));
    return norm;
}

}  // namespace rootstock
