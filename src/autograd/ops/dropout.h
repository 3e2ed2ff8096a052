#pragma once
// Dropout (Srivastava et al., 2014) whose masks are a function of (seed, step, site, element) alone: nothing to save
// but the step, the same masks on every device and after every resume.

#include <torch/torch.h>

#include <cstdint>

namespace rootstock {

struct Dropout {
    double probability = 0;  // 0: off, which is also how a model is evaluated
    std::uint64_t seed = 0;
    std::uint64_t step = 0;
    bool whole_model = false;  // the spec's own shares act too: on attention weights and behind each sub-layer

    bool active() const { return probability > 0; }

    // `x` [rows, columns] with a share of its elements dropped and the others grown.
    torch::Tensor drop(std::uint64_t site, double share, const torch::Tensor& x) const;

    // 0 where an element is dropped, 1 / (1 - probability) elsewhere: [rows, columns] of `like`'s type and device.
    // `site` tells apart the places of a model that draw in the same step.
    torch::Tensor mask(std::uint64_t site, const torch::Tensor& like) const;
};

}  // namespace rootstock
