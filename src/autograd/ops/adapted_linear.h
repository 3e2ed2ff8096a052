#pragma once
// Frozen linear maps that read the same input, each with a low-rank update that is trained or not at all:
//
//   y_i = W_i x + b_i + scale_i B_i A_i drop(x)        results side by side: [tokens, sum of outs]
//
// Query, key and value are one AdaptedLinear: one product for the three, one for their three A. The maps of one
// AdaptedLinear share the dropout mask.
//
// With a trained base the weights and biases are parameters as well, under their canonical names.
//
// Parameters: "<name>.a" [R, in], all A below each other, R the sum of the ranks; "<name>.b" flat, the transposed B_i
// [rank_i, out_i] one after another.

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autograd/executor/parameters.h"
#include "autograd/executor/placement.h"
#include "autograd/ops/dropout.h"
#include "model/model.h"

namespace rootstock {

// What is grafted on a module.
struct GraftShape {
    int rank = 0;
    float scale = 1;
};
using GraftPlan = std::map<std::string, GraftShape>;  // by module

class AdaptedLinear {
public:
    struct Options {
        Placement placement;
        GraftPlan grafts;
        std::uint64_t site = 0;      // tells these maps' dropout masks from others'
        bool differentiable = true;  // false: nothing before these maps is trained, so the gradient ends here
        bool trained_base = false;   // the maps themselves are trained too; torch route only
    };

    // Without maps it stands for none: parts() is empty, and it must not be run.
    AdaptedLinear(const Model& model, std::vector<LinearMap> maps, const Options& options);
    ~AdaptedLinear();
    AdaptedLinear(AdaptedLinear&&) noexcept;

    std::int64_t slack() const { return low_rank_; }  // R
    std::vector<ParameterShape> parameter_shapes() const;
    void bind(const Parameters& parameters);

    // Takes over the parameters' present values; to be called whenever they may have moved, before forward(). The
    // kernel route rounds them to bfloat16 and puts them where its products read them; the torch route reads them
    // anyway.
    void stage_low_rank();

    // x [tokens, in]. On the kernel route x may be a panel of slack(): then its slack is written, so it may have one
    // such reader only; `owns_slack` false makes a copy instead.
    torch::Tensor forward(const torch::Tensor& x, const Dropout& dropout, bool owns_slack = true);

    // To and from the form that files have.
    void write_pairs(std::map<std::string, LoraPair>& pairs) const;
    void read_pairs(const std::map<std::string, LoraPair>& pairs);

    // What the differentiated function needs of its map.
    struct Frozen;
    struct Part {
        LinearMap map;
        GraftShape graft;               // rank 0: the map has no update
        std::int64_t column = 0;        // of its outputs
        std::int64_t low_rank_row = 0;  // of its A in "<name>.a"
        std::int64_t b_offset = 0;      // of its B in "<name>.b"
    };
    const std::vector<Part>& parts() const { return parts_; }
    const Frozen& frozen() const { return *frozen_; }
    std::int64_t in() const { return in_; }
    std::int64_t out() const { return out_; }
    bool differentiable() const { return differentiable_; }

private:
    void pack_weights(const Model& model, const std::vector<LinearMap>& maps);
    void hold_weights(const Model& model, const std::vector<LinearMap>& maps);
    torch::Tensor weight() const;
    torch::Tensor bias() const;
    torch::Tensor forward_torch(const torch::Tensor& x, const Dropout& dropout) const;
    torch::Tensor forward_kernels(const torch::Tensor& x, const Dropout& dropout, bool owns_slack);

    std::string name_;
    Placement placement_;
    std::uint64_t site_ = 0;
    std::vector<Part> parts_;
    std::int64_t in_ = 0, out_ = 0, low_rank_ = 0, b_size_ = 0;
    bool differentiable_ = true;
    bool trained_base_ = false;
    torch::Tensor a_, b_;
    std::vector<torch::Tensor> base_weights_, base_biases_;  // of a trained base: of each map
    std::unique_ptr<Frozen> frozen_;
};

}  // namespace rootstock
