#include "learn/table/fresh_weights.h"

#include <cmath>

namespace rootstock {

namespace {

// The bound of a tensor's uniform numbers; 0: all zero.
double bound_of(const TransformerSpec& spec, const std::string& name) {
    const auto ends = [&](const char* with) { return name.ends_with(with); };
    if (name.starts_with("embed.missing")) return 0;
    const bool attention = name.find(".query.") != std::string::npos || name.find(".key.") != std::string::npos ||
                           name.find(".value.") != std::string::npos ||
                           name.find(".attention_output.") != std::string::npos;
    if (attention && ends(".bias")) return 0;
    const int in = name.find(".output.") != std::string::npos ? spec.inner : spec.width;
    return 1 / std::sqrt(static_cast<double>(in));
}

std::vector<float> fresh_numbers(const TransformerSpec& spec, const TensorShape& tensor, SeededRandom& random) {
    std::size_t count = 1;
    for (auto size : tensor.shape) count *= static_cast<std::size_t>(size);
    std::vector<float> numbers(count);
    if (tensor.name.ends_with("norm.weight")) numbers.assign(count, 1.0f);
    if (tensor.name.find("norm.") != std::string::npos) return numbers;
    const double bound = bound_of(spec, tensor.name);
    if (bound > 0)
        for (auto& number : numbers) number = static_cast<float>(bound * (2 * random.uniform() - 1));
    return numbers;
}

}  // namespace

Model fresh_table_model(const TransformerSpec& spec, std::uint64_t seed) {
    SeededRandom random(seed);
    std::map<std::string, HostTensor> tensors;
    auto shapes = tensors_of(spec);
    for (auto& shape : head_tensors_of(spec)) shapes.push_back(std::move(shape));
    for (const auto& shape : shapes)
        tensors.emplace(shape.name, make_tensor(shape.shape, fresh_numbers(spec, shape, random)));
    return Model{spec, Weights(std::move(tensors), {}), {}, {}};
}

}  // namespace rootstock
