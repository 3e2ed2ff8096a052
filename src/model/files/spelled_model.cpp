#include <cstring>

#include "model/families/family.h"
#include "model/files/model_folder.h"
#include "model/files/stored_model.h"

namespace rootstock {

namespace {

// The pieces of a fused map, one below the other.
HostTensor joined(const std::vector<const HostTensor*>& pieces) {
    if (pieces.size() == 1) return *pieces.front();
    auto shape = pieces.front()->shape;
    std::vector<std::byte> bytes;
    shape.front() = 0;
    for (const auto* piece : pieces) {
        ROOTSTOCK_CHECK(piece && piece->dtype == pieces.front()->dtype, "every piece of a fused map is there");
        shape.front() += piece->shape.front();
        bytes.insert(bytes.end(), piece->bytes.begin(), piece->bytes.end());
    }
    return make_tensor(pieces.front()->dtype, shape, std::move(bytes));
}

}  // namespace

StoredModel in_files_spelling(const Model& model, json::object config) {
    const auto& family = family_of(model.spec);
    std::map<std::string, std::vector<const HostTensor*>> pieces;
    for (const auto& [name, tensor] : model.weights.tensors()) {
        const auto form = family.form(name);
        ROOTSTOCK_CHECK(!form.transposed, "a family whose maps stand as ours do");
        auto& of_name = pieces[family.tensor_names(name).front()];
        of_name.resize(static_cast<std::size_t>(form.parts));
        of_name[static_cast<std::size_t>(form.part)] = &tensor;
    }
    StoredModel stored;
    stored.config = std::move(config);
    for (const auto& [name, of_name] : pieces) stored.tensors.emplace(name, joined(of_name));
    return stored;
}

}  // namespace rootstock
