#include "native/adapter_layout.h"

namespace rootstock {

namespace {

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

}  // namespace

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

NativeAdapter::NativeAdapter(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
NativeAdapter::~NativeAdapter() = default;

Result<std::shared_ptr<const NativeAdapter>> NativeAdapter::load(const NativeModel& model, const Adapter& adapter) {
    const auto& spec = model.spec();
    ROOTSTOCK_CHECKED(check_pairs(adapter, spec));
    ROOTSTOCK_CHECKED(check_head(adapter.head, spec));
    std::vector<AdapterPiece> pieces;
    for (const auto& module : adapter_modules(spec)) {
        const auto pair = adapter.pairs.find(module);
        pieces.push_back(pair == adapter.pairs.end() ? AdapterPiece{} : AdapterPiece{pair->second.rank, &pair->second});
    }
    auto parts = lay_out_adapter(model, pieces, Filled::zeros);
    parts->head = adapter.head;
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
