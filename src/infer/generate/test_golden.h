#pragma once
// For the tests of this folder: a tiny model of tests/golden/families with prompts, and what transformers wrote on
// them.

#include <algorithm>
#include <filesystem>

#include "native/native.h"

namespace rootstock {

struct Golden {
    using Ids = std::vector<std::int32_t>;

    explicit Golden(const std::string& name, Precision precision = Precision::fp32) {
        const auto folder = std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests/golden/families" / name;
        if (!std::filesystem::exists(folder / "golden.safetensors")) return;
        file = read_safetensors(folder / "golden.safetensors").value();
        model = load_model(folder).value();
        native = NativeModel::load(model, {precision, 2}).value();
        for (int n = 0; file.tensors.contains("ids." + std::to_string(n)); ++n) prompts.push_back(ids("ids", n));
    }

    Ids ids(const std::string& kind, std::size_t n) const { return ids(kind, static_cast<int>(n)); }
    Ids ids(const std::string& kind, int n) const {
        const auto& tensor = file.tensors.at(kind + "." + std::to_string(n));
        const auto* first = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
        return {first, first + tensor.elements()};
    }

    // The reference's text without the token that ends it and the padding behind.
    Ids text(const std::string& kind, std::size_t n) const {
        auto all = ids(kind, n);
        const auto& ends = native->spec().end_ids;
        const auto end = std::ranges::find_first_of(all, ends);
        all.erase(end, all.end());
        return all;
    }

    Safetensors file;
    Model model;
    std::shared_ptr<const NativeModel> native;
    std::vector<Ids> prompts;
};

}  // namespace rootstock
