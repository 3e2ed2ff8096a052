#include "autograd/executor/base_tensors.h"

#include "autograd/ops/frozen_weights.h"

namespace rootstock {

torch::Tensor load_tensor(const Model& model, const std::string& name, const Placement& placement) {
    return host_view(model.weights.at(name)).to(placement.device);
}

Norm load_norm(const Model& model, const std::string& name, const Placement& placement) {
    Norm norm{load_tensor(model, name + ".weight", placement), {}, model.spec.norm_eps, model.spec.norm};
    if (norm.kind == NormKind::layer) norm.bias = load_tensor(model, name + ".bias", placement);
    return norm;
}

void rebind(torch::Tensor& tensor, const std::string& name, const Parameters& parameters) {
    if (const auto* trained = parameters.find(name)) tensor = *trained;
}

void rebind(Norm& norm, const std::string& name, const Parameters& parameters) {
    if (!norm.defined()) return;
    rebind(norm.weight, name + ".weight", parameters);
    if (norm.bias.defined()) rebind(norm.bias, name + ".bias", parameters);
}

}  // namespace rootstock
