#pragma once
// AdamW (Loshchilov and Hutter, 2019) over flat vectors: decoupled weight decay, none on biases and norms.
//
//   m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
//   p = p (1 - rate decay) - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "autograd/autograd.h"

namespace rootstock {

struct AdamWSettings {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0.01;
};

// Learning rates of one step.
struct Rates {
    double low_rank = 0;  // and of the base, where it is trained
    double head = 0;
};

class AdamW {
public:
    AdamW(Parameters& parameters, const AdamWSettings& settings);

    // One step with the gradients that stand in the parameters, times `gradient_scale`; clears them. On the CPU this is
    // one pass over memory, which at a few hundred steps a minute is worth a twentieth of the time.
    void step(const Rates& rates, double gradient_scale = 1);

    // The moments are vectors of parameters.size(); `steps` counts the steps taken. Both are for checkpoints.
    torch::Tensor first_moment() const { return first_; }
    torch::Tensor second_moment() const { return second_; }
    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) { steps_ = steps; }

private:
    // Neighbouring parameters of one kind, updated together.
    struct Segment {
        ParameterKind kind;
        torch::Tensor value, gradient, first, second;
    };
    struct Factors;
    Factors factors(const Segment& segment, double rate, double gradient_scale) const;
    static void update_here(Segment& segment, const Factors& factors);
    static void update_on_device(Segment& segment, const Factors& factors);

    AdamWSettings settings_;
    torch::Tensor first_, second_;
    std::vector<Segment> segments_;
    std::int64_t steps_ = 0;
};

// The gradients' Euclidean norm, and what to multiply them by so that it is at most `norm_max` (0: no limit).
double gradient_norm(const Parameters& parameters);
double clip_scale(double norm, double norm_max);

}  // namespace rootstock
