#include "autograd/ops/rotary.h"

namespace rootstock {

RotaryAngles RotaryAngles::at(const torch::Tensor& tokens) const {
    if (!defined()) return {};
    return {cosines.index_select(0, tokens), sines.index_select(0, tokens)};
}

RotaryAngles rotary_angles(const TransformerSpec& spec, const StagedBatch& batch) {
    if (spec.positions != Positions::rotary) return {};
    torch::NoGradGuard constant;
    auto device = batch.positions.device();
    auto pairs = static_cast<std::int64_t>(spec.rotary.width / 2);
    torch::Tensor frequencies;
    if (spec.rotary.scaling == RotaryScaling::dynamic) {
        std::vector<float> of_rows;
        for (std::size_t row = 0; row + 1 < batch.offsets.size(); ++row) {
            auto own = rotary_frequencies(spec.rotary, batch.offsets[row + 1] - batch.offsets[row]);
            of_rows.insert(of_rows.end(), own.begin(), own.end());
        }
        frequencies = torch::tensor(of_rows).view({-1, pairs}).to(device).index_select(0, batch.row_of);
    } else {
        frequencies = torch::tensor(rotary_frequencies(spec.rotary, 0)).view({1, pairs}).to(device);
    }
    auto angles = (batch.positions.to(torch::kFloat32).view({-1, 1}) * frequencies).view({-1, 1, pairs});
    return {torch::cos(angles) * spec.rotary.size, torch::sin(angles) * spec.rotary.size};
}

torch::Tensor rotate(const torch::Tensor& x, const RotaryAngles& angles, std::int64_t head_width) {
    if (!angles.defined()) return x;
    auto heads = x.view({x.size(0), -1, head_width});
    auto pairs = angles.cosines.size(2);
    auto left = heads.narrow(2, 0, pairs), right = heads.narrow(2, pairs, pairs);
    auto cosines = angles.cosines.to(x.scalar_type()), sines = angles.sines.to(x.scalar_type());
    std::vector<torch::Tensor> parts{left * cosines - right * sines, right * cosines + left * sines};
    if (2 * pairs < head_width) parts.push_back(heads.narrow(2, 2 * pairs, head_width - 2 * pairs));
    return torch::cat(parts, 2).view(x.sizes());
}

}  // namespace rootstock
