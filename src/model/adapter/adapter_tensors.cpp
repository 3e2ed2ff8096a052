#include "model/adapter/adapter_tensors.h"

#include <algorithm>
#include <bit>

#include "model/adapter/file_maps.h"

namespace rootstock {

namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight", kMagnitude = ".lora_magnitude_vector";

std::string without_weight(const std::string& tensor) {
    return tensor.substr(0, tensor.size() - std::string_view(".weight").size());
}

// Where a head's maps stand in the family's classifiers: "classifier.out_proj" and "classifier.dense".
struct HeadPaths {
    explicit HeadPaths(const TransformerSpec& spec) {
        const auto& family = family_of(spec);
        for (const auto& name : family.tensor_names("head.weight"))
            if (last.empty() && name.starts_with(std::string(family.classifier) + ".")) last = without_weight(name);
        if (spec.classifier_dense) dense = without_weight(family.tensor_names("head.dense.weight").front());
    }
    std::string last, dense;  // dense empty: there is none
};

// Without an early end, so that it runs on vectors: an adapter is read while its first customer waits.
bool all_finite(const std::vector<float>& numbers) {
    constexpr std::uint32_t kExponent = 0x7f800000;
    std::uint32_t bad = 0;
    for (const float number : numbers) bad |= (std::bit_cast<std::uint32_t>(number) & kExponent) == kExponent;
    return bad == 0;
}

class TensorReader {
public:
    TensorReader(const std::map<std::string, HostTensor>& tensors, const PeftConfig& config,
                 const TransformerSpec& spec, const std::string& what)
        : tensors_(tensors), config_(config), spec_(spec), what_(what), all_maps_(file_maps(spec)) {
        for (const auto& map : all_maps_) {
            maps_.emplace(map.path, &map);
            maps_.emplace(map.bare_path, &map);
        }
        const auto encoder = std::string(kPrefix) + family_of(spec).prefix;
        inside_classifier_ =
            std::ranges::any_of(tensors, [&](const auto& item) { return item.first.starts_with(encoder); });
    }
    Result<void> read(Adapter& adapter);

private:
    Result<void> place(const std::string& key, const HostTensor& tensor, Adapter& adapter);
    Result<void> place_half(const std::string& key, const std::string& path, bool is_a, const HostTensor& tensor);
    Result<void> place_magnitude(const std::string& key, const std::string& path, const HostTensor& tensor);
    Result<bool> place_head(const std::string& key, const std::string& path, const HostTensor& tensor, Head& head);
    Result<void> check_complete(const Adapter& adapter) const;
    Result<void> check_head(const Head& head) const;
    Result<std::vector<float>> values(const std::string& key, const HostTensor& tensor) const;
    Result<void> expect(const std::string& key, const HostTensor& tensor, std::vector<std::int64_t> shape) const;
    std::unexpected<Error> misfit(const std::string& key, const std::string& sentence) const {
        return fail(ErrorCode::invalid_argument, what_ + ": tensor \"" + key + "\" " + sentence, {}, "adapter_misfit");
    }

    const std::map<std::string, HostTensor>& tensors_;
    const PeftConfig& config_;
    const TransformerSpec& spec_;
    const std::string& what_;
    std::vector<FileMap> all_maps_;
    std::map<std::string, const FileMap*> maps_;  // by path, with and without the encoder's prefix
    std::map<std::string, LoraPair> pairs_;       // by path with the prefix
    bool inside_classifier_ = false;              // the file's paths carry the prefix
};

Result<std::vector<float>> TensorReader::values(const std::string& key, const HostTensor& tensor) const {
    if (tensor.dtype != Dtype::f32 && tensor.dtype != Dtype::f16 && tensor.dtype != Dtype::bf16)
        return fail(ErrorCode::unsupported, what_ + ": tensor \"" + key + "\" has element type " + name(tensor.dtype) +
                                                "; an adapter must be F32, F16 or BF16");
    auto numbers = to_floats(tensor);
    if (!all_finite(numbers))
        return fail(ErrorCode::corrupt,
                    what_ + ": tensor \"" + key + "\" holds a number that is not finite; train it again");
    return numbers;
}

Result<void> TensorReader::expect(const std::string& key, const HostTensor& tensor,
                                  std::vector<std::int64_t> shape) const {
    if (tensor.shape == shape) return {};
    return misfit(key, "has shape " + shape_text(tensor.shape) + ", but this model and adapter_config.json ask for " +
                           shape_text(shape) + "; it was made for another model");
}

Result<void> TensorReader::place_half(const std::string& key, const std::string& path, bool is_a,
                                      const HostTensor& tensor) {
    const auto found = maps_.find(path);
    if (found == maps_.end())
        return misfit(key, "changes a part that this model does not have; it was made for another model");
    const auto& map = *found->second;
    ROOTSTOCK_TRY(rank, config_.rank_of(path));
    ROOTSTOCK_CHECKED(expect(
        key, tensor, is_a ? std::vector<std::int64_t>{rank, map.in()} : std::vector<std::int64_t>{map.out(), rank}));
    ROOTSTOCK_TRY(numbers, values(key, tensor));
    ROOTSTOCK_TRY(scale, config_.scale_of(path));
    auto& pair = pairs_[map.path];
    pair.rank = rank;
    pair.scale = static_cast<float>(scale);
    pair.in = map.in();
    pair.out = map.out();
    (is_a ? pair.a : pair.b) = std::move(numbers);
    return {};
}

Result<void> TensorReader::place_magnitude(const std::string& key, const std::string& path, const HostTensor& tensor) {
    const auto found = maps_.find(path);
    if (found == maps_.end() || !config_.dora)
        return misfit(key, "gives lengths of rows that adapter_config.json does not speak of");
    ROOTSTOCK_CHECKED(expect(key, tensor, {found->second->out()}));
    ROOTSTOCK_TRY(numbers, values(key, tensor));
    pairs_[found->second->path].magnitude = std::move(numbers);
    return {};
}

// False: the path is not of a head.
Result<bool> TensorReader::place_head(const std::string& key, const std::string& path, const HostTensor& tensor,
                                      Head& head) {
    const HeadPaths paths(spec_);
    std::vector<float>* place = nullptr;
    if (path == paths.last + ".weight") {
        const std::int64_t classes = tensor.shape.empty() ? 0 : tensor.shape.front();
        if (classes < 1 || classes > (1 << 20))
            return misfit(key, "has shape " + shape_text(tensor.shape) + ", which is no head");
        ROOTSTOCK_CHECKED(expect(key, tensor, {classes, spec_.width}));
        head.classes = static_cast<int>(classes);
        head.width = spec_.width;
        place = &head.weight;
    } else if (path == paths.last + ".bias" && tensor.shape.size() == 1) {
        place = &head.bias;
    } else if (!paths.dense.empty() && path == paths.dense + ".weight") {
        ROOTSTOCK_CHECKED(expect(key, tensor, {spec_.width, spec_.width}));
        place = &head.dense_weight;
    } else if (!paths.dense.empty() && path == paths.dense + ".bias") {
        ROOTSTOCK_CHECKED(expect(key, tensor, {spec_.width}));
        place = &head.dense_bias;
    } else if (path.starts_with(std::string(family_of(spec_).classifier) + ".")) {
        return misfit(key, "is no part of a classification head of this model's family");
    } else {
        return false;
    }
    ROOTSTOCK_TRY(numbers, values(key, tensor));
    *place = std::move(numbers);
    return true;
}

Result<void> TensorReader::place(const std::string& key, const HostTensor& tensor, Adapter& adapter) {
    if (!key.starts_with(kPrefix))
        return misfit(key, "does not begin with \"base_model.model.\"; it is no PEFT adapter");
    const auto path = key.substr(kPrefix.size());
    if (path.ends_with(kA)) return place_half(key, path.substr(0, path.size() - kA.size()), true, tensor);
    if (path.ends_with(kB)) return place_half(key, path.substr(0, path.size() - kB.size()), false, tensor);
    if (path.ends_with(kMagnitude))
        return place_magnitude(key, path.substr(0, path.size() - kMagnitude.size()), tensor);
    ROOTSTOCK_TRY(placed, place_head(key, path, tensor, adapter.head));
    if (placed) return {};
    return fail(ErrorCode::unsupported,
                what_ + ": tensor \"" + key + "\" is of an adapter feature that is not supported");
}

Result<void> TensorReader::check_head(const Head& head) const {
    if (head.classes == 0 && head.bias.empty() && head.dense_weight.empty() && head.dense_bias.empty()) return {};
    const bool lacks_bias = head.bias.empty() && classifier_has_bias(spec_);
    if (head.classes == 0 || lacks_bias || (!head.bias.empty() && static_cast<int>(head.bias.size()) != head.classes))
        return fail(ErrorCode::corrupt, what_ + ": the head's weight and bias do not belong together; train it again");
    if (head.dense_weight.empty() == spec_.classifier_dense || head.dense_bias.empty() == spec_.classifier_dense)
        return fail(ErrorCode::corrupt, what_ + " lacks the map before the head's last one (" + HeadPaths(spec_).dense +
                                            "); name it in modules_to_save and save the adapter again");
    if (spec_.classifier_pools && !spec_.pooler)
        return fail(ErrorCode::invalid_argument,
                    what_ + " has a classification head, but the base model has no pooler for it to stand on", {},
                    "adapter_misfit");
    return {};
}

// What the configuration names and what the file holds must be the same modules; peft would silently go on otherwise.
Result<void> TensorReader::check_complete(const Adapter& adapter) const {
    for (const auto& map : all_maps_) {
        const auto& path = map.path_in(inside_classifier_);
        ROOTSTOCK_TRY(selected, config_.selects(path, map.maps.front()));
        const auto pair = pairs_.find(map.path);
        const bool there = pair != pairs_.end();
        if (selected && !there)
            return fail(ErrorCode::invalid_argument,
                        what_ + " lacks " + path +
                            ", which adapter_config.json names; it was made for another model, or is incomplete",
                        {}, "adapter_misfit");
        if (there && !selected)
            return fail(ErrorCode::corrupt,
                        what_ + " changes " + path +
                            ", which adapter_config.json does not name; the two files do not belong together");
        if (there && (pair->second.a.empty() || pair->second.b.empty()))
            return fail(ErrorCode::corrupt, what_ + " has only one half of the update of " + path + "; fetch it again");
        if (there && config_.dora != !pair->second.magnitude.empty())
            return fail(ErrorCode::corrupt, what_ + " lacks the lengths of the rows of " + path +
                                                " (lora_magnitude_vector); fetch it again");
    }
    return check_head(adapter.head);
}

Result<void> TensorReader::read(Adapter& adapter) {
    for (const auto& [key, tensor] : tensors_) ROOTSTOCK_CHECKED(place(key, tensor, adapter));
    ROOTSTOCK_CHECKED(check_complete(adapter));
    for (const auto& map : all_maps_)
        if (const auto pair = pairs_.find(map.path); pair != pairs_.end())
            split_pair(map, std::move(pair->second), adapter.pairs);
    auto& head = adapter.head;
    if (head.bias.empty()) head.bias.assign(static_cast<std::size_t>(head.classes), 0.0f);
    return {};
}

}  // namespace

bool classifier_has_bias(const TransformerSpec& spec) {
    return std::string_view(family_of(spec).classifier) != "score";
}

Result<void> read_adapter_tensors(const std::map<std::string, HostTensor>& tensors, const PeftConfig& config,
                                  const TransformerSpec& spec, const std::string& what, Adapter& adapter) {
    return TensorReader(tensors, config, spec, what).read(adapter);
}

std::map<std::string, HostTensor> adapter_tensors(const Adapter& adapter, const TransformerSpec& spec) {
    std::map<std::string, HostTensor> tensors;
    const bool classifier = adapter.head.classes > 0;
    for (const auto& map : file_maps(spec)) {
        if (!has_pair(map, adapter.pairs)) continue;
        const auto pair = fused_pair(map, adapter.pairs);
        const auto path = std::string(kPrefix) + map.path_in(inside_headed_model(adapter));
        tensors.emplace(path + std::string(kA), make_tensor({pair.rank, pair.in}, pair.a));
        tensors.emplace(path + std::string(kB), make_tensor({pair.out, pair.rank}, pair.b));
        if (!pair.magnitude.empty())
            tensors.emplace(path + std::string(kMagnitude), make_tensor({pair.out}, pair.magnitude));
    }
    if (classifier) {
        const HeadPaths paths(spec);
        const auto& head = adapter.head;
        const auto last = std::string(kPrefix) + paths.last, dense = std::string(kPrefix) + paths.dense;
        tensors.emplace(last + ".weight", make_tensor({head.classes, head.width}, head.weight));
        if (classifier_has_bias(spec)) tensors.emplace(last + ".bias", make_tensor({head.classes}, head.bias));
        if (!head.dense_weight.empty()) {
            tensors.emplace(dense + ".weight", make_tensor({head.width, head.width}, head.dense_weight));
            tensors.emplace(dense + ".bias", make_tensor({head.width}, head.dense_bias));
        }
    }
    return tensors;
}

}  // namespace rootstock
