#pragma once
// For this folder's tests: where models and golden values lie, and how near two tensors are.

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "model/model.h"

namespace rootstock {

inline std::filesystem::path golden_folder() {
    return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden";
}

inline std::filesystem::path test_model_folder() {
    if (const char* named = std::getenv("ROOTSTOCK_TEST_MODEL")) return named;
    return std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "build" / "test-model";
}

inline Model must_load(const std::filesystem::path& folder) {
    auto model = load_model(folder);
    EXPECT_TRUE(model) << model.error().message;
    return *model;
}

inline torch::Tensor to_torch(const HostTensor& tensor) { return torch::tensor(to_floats(tensor)).view(tensor.shape); }

inline std::vector<std::int32_t> to_ids(const HostTensor& tensor) {
    const auto* ids = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
    return {ids, ids + tensor.elements()};
}

inline double largest_difference(const torch::Tensor& left, const torch::Tensor& right) {
    return (left.to(torch::kFloat32) - right.to(torch::kFloat32)).abs().max().item<double>();
}

// ||left - right|| / ||right||
inline double relative_difference(const torch::Tensor& left, const torch::Tensor& right) {
    auto reference = right.to(torch::kFloat32);
    return ((left.to(torch::kFloat32) - reference).norm() / reference.norm()).item<double>();
}

}  // namespace rootstock
