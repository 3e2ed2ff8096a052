#include "autograd/ops/dropout.h"

#include "autograd/kernels/parallel.h"

namespace rootstock {

namespace {

// The finaliser of splitmix64: neighbouring counters become independent words.
std::uint64_t scramble(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

}  // namespace

torch::Tensor Dropout::drop(std::uint64_t site, double share, const torch::Tensor& x) const {
    return x * Dropout{share, seed, step}.mask(site, x);
}

torch::Tensor Dropout::mask(std::uint64_t site, const torch::Tensor& like) const {
    auto mask = torch::empty({like.size(0), like.size(1)}, torch::kFloat32);
    auto* values = mask.data_ptr<float>();
    auto stream = scramble(seed + 0x9e3779b97f4a7c15u * (step + 1)) ^ scramble(site + 1);
    auto limit = static_cast<std::uint64_t>(probability * 0x1p32);
    auto kept = static_cast<float>(1.0 / (1.0 - probability));
    // One word decides two elements.
    parallel_ranges((mask.numel() + 1) / 2, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t pair = begin; pair < end; ++pair) {
            auto word = scramble(stream + 0x9e3779b97f4a7c15u * static_cast<std::uint64_t>(pair));
            values[2 * pair] = (word & 0xffffffffu) < limit ? 0.0f : kept;
            if (2 * pair + 1 < mask.numel()) values[2 * pair + 1] = (word >> 32) < limit ? 0.0f : kept;
        }
    });
    return mask.to(like.options());
}

}  // namespace rootstock
