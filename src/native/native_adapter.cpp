#include <array>

#include "native/parts.h"

namespace rootstock {

namespace {

using Slices = std::vector<LowRankSlice>;

// The pairs of the modules that share one product, each with the columns it writes.
Slices slices_of(const Adapter& adapter, std::initializer_list<std::string> modules, int out) {
    Slices slices;
    int begin = 0;
    for (const auto& module : modules) {
        if (const auto place = adapter.pairs.find(module); place != adapter.pairs.end())
            slices.push_back({&place->second, begin});
        begin += out;
    }
    return slices;
}

struct LayerSlices {
    Slices qkv, attention_output, inner, output;
};

LayerSlices layer_slices(const Adapter& adapter, const TransformerSpec& spec, int layer) {
    const auto name = [&](const char* part) { return layer_name(layer, part); };
    return {slices_of(adapter, {name("query"), name("key"), name("value")}, spec.width),
            slices_of(adapter, {name("attention_output")}, spec.width), slices_of(adapter, {name("inner")}, spec.inner),
            slices_of(adapter, {name("output")}, spec.width)};
}

class AdapterPacker {
public:
    AdapterPacker(const Adapter& adapter, const TransformerSpec& spec, NativeAdapter::Parts& parts)
        : spec_(spec), parts_(parts), pooler_(slices_of(adapter, {"pooler"}, spec.width)) {
        for (int layer = 0; layer < spec.layers; ++layer) layers_.push_back(layer_slices(adapter, spec, layer));
    }

    void pack() {
        parts_.arena = Arena(bytes());
        for (const auto& s : layers_)
            parts_.layers.push_back(
                {low_rank(s.qkv, spec_.width, 3 * spec_.width), low_rank(s.attention_output, spec_.width, spec_.width),
                 low_rank(s.inner, spec_.width, spec_.inner), low_rank(s.output, spec_.inner, spec_.width)});
        parts_.pooler = low_rank(pooler_, spec_.width, spec_.width);
    }

private:
    LowRank low_rank(const Slices& slices, int in, int out) { return {slices, in, out, parts_.element, parts_.arena}; }

    std::size_t bytes() const {
        const auto size = [&](const Slices& slices, int in) {
            return LowRank::packed_bytes(slices, in, parts_.element);
        };
        std::size_t sum = size(pooler_, spec_.width);
        for (const auto& s : layers_)
            sum += size(s.qkv, spec_.width) + size(s.attention_output, spec_.width) + size(s.inner, spec_.width) +
                   size(s.output, spec_.inner);
        return sum;
    }

    const TransformerSpec& spec_;
    NativeAdapter::Parts& parts_;
    std::vector<LayerSlices> layers_;
    Slices pooler_;
};

std::unexpected<Error> misfit(const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, sentence + "; it was made for another model", {}, "adapter_misfit");
}

Result<void> check_pairs(const Adapter& adapter, const TransformerSpec& spec) {
    std::size_t found = 0;
    for (const auto& map : linear_maps(spec)) {
        const auto place = adapter.pairs.find(map.module);
        if (place == adapter.pairs.end()) continue;
        ++found;
        const auto& pair = place->second;
        const auto rank = static_cast<std::size_t>(pair.rank);
        if (pair.in != map.in || pair.out != map.out || pair.rank < 1 ||
            pair.a.size() != rank * static_cast<std::size_t>(pair.in) ||
            pair.b.size() != rank * static_cast<std::size_t>(pair.out))
            return misfit("the adapter's update of " + map.module + " has not the sizes of this model");
    }
    if (found != adapter.pairs.size()) return misfit("the adapter changes maps that this model does not have");
    return {};
}

Result<void> check_head(const Head& head, const TransformerSpec& spec) {
    if (head.classes == 0) return {};
    const auto classes = static_cast<std::size_t>(head.classes);
    if (head.classes < 0 || head.width != spec.width ||
        head.weight.size() != classes * static_cast<std::size_t>(head.width) || head.bias.size() != classes)
        return misfit("the adapter's head has not the width of this model");
    if (!spec.pooler) return misfit("the adapter's head needs a pooler, which this model does not have");
    return {};
}

}  // namespace

NativeAdapter::NativeAdapter(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
NativeAdapter::~NativeAdapter() = default;

Result<std::shared_ptr<const NativeAdapter>> NativeAdapter::load(const NativeModel& model, const Adapter& adapter) {
    const auto& spec = model.spec();
    ROOTSTOCK_CHECKED(check_pairs(adapter, spec));
    ROOTSTOCK_CHECKED(check_head(adapter.head, spec));
    auto parts = std::make_unique<Parts>();
    parts->width = spec.width;
    parts->inner = spec.inner;
    parts->element = model.parts().element();
    parts->head = adapter.head;
    AdapterPacker(adapter, spec, *parts).pack();
    return std::shared_ptr<const NativeAdapter>(new NativeAdapter(std::move(parts)));
}

int NativeAdapter::classes() const { return parts_->head.classes; }

std::size_t NativeAdapter::bytes() const {
    return parts_->arena.used() + (parts_->head.weight.size() + parts_->head.bias.size()) * sizeof(float);
}

}  // namespace rootstock
