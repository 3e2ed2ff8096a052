#include "autograd/ops/frozen_weights.h"

namespace rootstock {

torch::Tensor host_view(const HostTensor& tensor) {
    if (tensor.dtype == Dtype::f32) {
        // Read-only pages of the mapped file: nothing here writes to a base weight.
        auto* data = const_cast<std::byte*>(tensor.bytes.data());
        auto owner = tensor.owner;
        return torch::from_blob(
            data, tensor.shape, [owner](void*) {}, torch::kFloat32);
    }
    auto copy = torch::empty(tensor.shape, torch::kFloat32);
    copy_as_floats(tensor, {copy.data_ptr<float>(), static_cast<std::size_t>(copy.numel())});
    return copy;
}

std::vector<float> transposed(std::span<const float> values, std::int64_t rows, std::int64_t columns) {
    std::vector<float> result(values.size());
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c)
            result[static_cast<std::size_t>(c * rows + r)] = values[static_cast<std::size_t>(r * columns + c)];
    return result;
}

namespace {

std::vector<float> stacked(const Model& model, const std::vector<LinearMap>& maps, const char* suffix) {
    std::vector<float> all;
    for (const auto& map : maps) {
        const auto* tensor = model.weights.find(map.module + suffix);
        if (!tensor) continue;
        auto values = to_floats(*tensor);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

}  // namespace

std::vector<float> stacked_weights(const Model& model, const std::vector<LinearMap>& maps) {
    return stacked(model, maps, ".weight");
}

std::vector<float> stacked_biases(const Model& model, const std::vector<LinearMap>& maps) {
    return stacked(model, maps, ".bias");
}

}  // namespace rootstock
