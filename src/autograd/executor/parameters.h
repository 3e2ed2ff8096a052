#pragma once
// Everything that is trained, in fp32: named tensors that are views of one flat vector of values, with gradients that
// are views of another.

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace rootstock {

enum class ParameterKind {
    low_rank,
    head_weight,
    head_bias,
    base_weight,  // a matrix of the base model
    base_vector   // a bias or a norm of it
};

struct ParameterShape {
    std::string name;
    std::vector<std::int64_t> shape;
    ParameterKind kind = ParameterKind::low_rank;

    std::int64_t elements() const;
};

class Parameters {
public:
    struct Entry {
        ParameterShape shape;
        std::int64_t offset = 0;  // into values() and gradients()
        torch::Tensor value;      // a leaf that asks for its gradient
    };

    Parameters() = default;
    Parameters(std::vector<ParameterShape> shapes, torch::Device device);  // all zero

    const torch::Tensor& at(const std::string& name) const;    // asserts that it exists
    const torch::Tensor* find(const std::string& name) const;  // null: it is not trained
    const std::vector<Entry>& entries() const { return entries_; }
    std::int64_t size() const { return values_.defined() ? values_.numel() : 0; }

    // Flat fp32 vectors [size()]; writing to them changes the model.
    torch::Tensor values() const { return values_; }
    torch::Tensor gradients() const { return gradients_; }
    void zero_gradients() { gradients_.zero_(); }

private:
    std::vector<Entry> entries_;
    std::unordered_map<std::string, std::size_t> places_;  // by name, into entries_
    torch::Tensor values_, gradients_;
};

}  // namespace rootstock
