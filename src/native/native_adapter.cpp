#include <atomic>

#include "native/parts.h"

namespace rootstock {

namespace {

using Slices = std::vector<LowRankSlice>;

// Packs every update; goes over them twice as the model's packer does.
class AdapterPacker {
public:
    AdapterPacker(const Adapter& adapter, const TransformerSpec& spec, NativeAdapter::Parts& parts)
        : adapter_(adapter), spec_(spec), parts_(parts) {}

    void pack() {
        visit();
        parts_.arena = Arena(bytes_);
        measuring_ = false;
        visit();
    }

private:
    using NameOf = std::string (*)(int layer, std::string_view part);

    void visit() {
        stack(parts_.layers, spec_.layers, layer_name);
        stack(parts_.decoder_layers, spec_.decoder_layers, decoder_layer_name);
        parts_.pooler = low_rank({"pooler"}, {spec_.width}, spec_.width);
    }

    void stack(std::vector<LayerUpdates>& updates, int layers, NameOf name_of) {
        updates.clear();
        const int width = spec_.width, queries = spec_.query_width(), keys = spec_.key_value_width();
        for (int layer = 0; layer < layers; ++layer) {
            const auto name = [&](const char* part) { return name_of(layer, part); };
            LayerUpdates u;
            u.qkv = low_rank({name("query"), name("key"), name("value")}, {queries, keys, keys}, width);
            u.attention_output = low_rank({name("attention_output")}, {width}, queries);
            u.cross_query = low_rank({name("cross_query")}, {queries}, width);
            u.cross_key_value = low_rank({name("cross_key"), name("cross_value")}, {keys, keys}, width);
            u.cross_output = low_rank({name("cross_attention_output")}, {width}, queries);
            u.gate = low_rank({name("gate")}, {spec_.inner}, width);
            u.inner = low_rank({name("inner")}, {spec_.inner}, width);
            u.output = low_rank({name("output")}, {width}, spec_.inner);
            updates.push_back(std::move(u));
        }
    }

    // The pairs of the modules that share one product, each with the columns it writes; empty when there are none.
    LowRank low_rank(const std::vector<std::string>& modules, const std::vector<int>& outs, int in) {
        Slices slices;
        int begin = 0;
        for (std::size_t i = 0; i < modules.size(); ++i) {
            if (const auto place = adapter_.pairs.find(modules[i]); place != adapter_.pairs.end())
                slices.push_back({&place->second, begin});
            begin += outs[i];
        }
        bytes_ += LowRank::packed_bytes(slices, in, parts_.element);
        if (measuring_) return {};
        return {slices, in, begin, parts_.element, parts_.arena};
    }

    const Adapter& adapter_;
    const TransformerSpec& spec_;
    NativeAdapter::Parts& parts_;
    bool measuring_ = true;
    std::size_t bytes_ = 0;
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
    const auto width = static_cast<std::size_t>(spec.width);
    if (head.dense_weight.size() != (spec.classifier_dense ? width * width : 0) ||
        head.dense_bias.size() != (spec.classifier_dense ? width : 0))
        return misfit("the adapter's head has not the maps of this model's classifiers");
    if (spec.classifier_pools && !spec.pooler)
        return misfit("the adapter's head needs a pooler, which this model does not have");
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
    parts->query_width = spec.query_width();
    parts->key_value_width = spec.key_value_width();
    parts->element = model.parts().element();
    parts->head = adapter.head;
    static std::atomic<std::uint64_t> last_serial = 0;
    parts->serial = ++last_serial;
    AdapterPacker(adapter, spec, *parts).pack();
    return std::shared_ptr<const NativeAdapter>(new NativeAdapter(std::move(parts)));
}

bool NativeAdapter::fits(const NativeModel& model) const { return parts_->fits(model.parts()); }
std::uint64_t NativeAdapter::serial() const { return parts_->serial; }
int NativeAdapter::classes() const { return parts_->head.classes; }

std::size_t NativeAdapter::bytes() const {
    const auto& head = parts_->head;
    return parts_->arena.used() +
           (head.weight.size() + head.bias.size() + head.dense_weight.size() + head.dense_bias.size()) * sizeof(float);
}

}  // namespace rootstock
