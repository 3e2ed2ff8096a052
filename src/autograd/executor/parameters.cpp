#include "autograd/executor/parameters.h"

#include <functional>
#include <numeric>

#include "base/base.h"

namespace rootstock {

std::int64_t ParameterShape::elements() const {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

Parameters::Parameters(std::vector<ParameterShape> shapes, torch::Device device) {
    std::int64_t size = 0;
    for (const auto& shape : shapes) size += shape.elements();
    auto options = torch::TensorOptions().dtype(torch::kFloat32).device(device);
    values_ = torch::zeros({size}, options);
    gradients_ = torch::zeros({size}, options);
    std::int64_t offset = 0;
    for (auto& shape : shapes) {
        auto elements = shape.elements();
        auto value = values_.narrow(0, offset, elements).view(shape.shape).detach();
        value.set_requires_grad(true);
        value.mutable_grad() = gradients_.narrow(0, offset, elements).view(shape.shape);
        ROOTSTOCK_CHECK(places_.emplace(shape.name, entries_.size()).second, "a parameter is declared once");
        entries_.push_back({std::move(shape), offset, value});
        offset += elements;
    }
}

const torch::Tensor* Parameters::find(const std::string& name) const {
    auto found = places_.find(name);
    return found == places_.end() ? nullptr : &entries_[found->second].value;
}

const torch::Tensor& Parameters::at(const std::string& name) const {
    const auto* found = find(name);
    ROOTSTOCK_CHECK(found, "a trained parameter was asked for that was never declared");
    return *found;
}

}  // namespace rootstock
