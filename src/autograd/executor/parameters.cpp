#include "autograd/executor/parameters.h"

#include <algorithm>
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
        entries_.push_back({std::move(shape), offset, value});
        offset += elements;
    }
}

const torch::Tensor& Parameters::at(const std::string& name) const {
    auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.shape.name == name; });
    ROOTSTOCK_CHECK(found != entries_.end(), "a trained parameter was asked for that was never declared");
    return found->value;
}

}  // namespace rootstock
