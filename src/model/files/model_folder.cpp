#include "model/files/model_folder.h"

#include <algorithm>

#include "model/families/family.h"
#include "model/files/mapped_file.h"
#include "model/files/stored_model.h"
#include "model/files/tensor_form.h"

namespace rootstock {

namespace fs = std::filesystem;

Weights::Weights(std::map<std::string, HostTensor> tensors, std::vector<std::shared_ptr<const MappedFile>> files)
    : tensors_(std::make_move_iterator(tensors.begin()), std::make_move_iterator(tensors.end())),
      files_(std::move(files)) {}

const HostTensor* Weights::find(std::string_view name) const {
    const auto place = tensors_.find(name);
    return place == tensors_.end() ? nullptr : &place->second;
}

const HostTensor& Weights::at(std::string_view name) const {
    const auto* tensor = find(name);
    ROOTSTOCK_CHECK(tensor, "a loaded model has every tensor of its spec");
    return *tensor;
}

std::int64_t Weights::parameters() const {
    std::int64_t count = 0;
    for (const auto& [name, tensor] : tensors_) count += tensor.elements();
    return count;
}

void Weights::release_pages() const {
    for (const auto& file : files_) file->release_pages();
}

namespace {

struct FamilySpec {
    const Family* family;
    TransformerSpec spec;
};

Result<FamilySpec> read_spec(const json::value& config, const std::string& what) {
    JsonFields fields(config, what);
    fields.ignore_others();
    const auto type = fields.required_string("model_type");
    ROOTSTOCK_CHECKED(fields.finish());
    const auto family = find_family(type);
    if (!family) return fail(family.error().code, what + ": " + family.error().message, family.error().param);
    ROOTSTOCK_TRY(spec, (*family)->spec(config, what));
    const auto& names = family_of(spec);
    return FamilySpec{&names, std::move(spec)};
}

Result<FamilySpec> read_spec(const json::value& config, const fs::path& folder) {
    return read_spec(config, (folder.extension() == ".gguf" ? folder : folder / "config.json").string());
}

const HostTensor* find_tensor(const StoredModel& files, const Family& family, const std::string& canonical) {
    for (const auto& name : family.tensor_names(canonical))
        if (const auto place = files.tensors.find(name); place != files.tensors.end()) return &place->second;
    return nullptr;
}

Result<HostTensor> checked_tensor(const HostTensor& found, const Family& family, const TensorShape& wanted,
                                  const std::string& their_name, const fs::path& folder) {
    const auto where = folder.string() + ": tensor \"" + their_name + "\" ";
    if (!is_weight(found.dtype))
        return fail(ErrorCode::unsupported,
                    where + "has element type " + name(found.dtype) + "; weights must be F32, F16 or BF16");
    auto tensor = in_our_form(found, family.form(wanted.name), wanted.shape);
    if (!tensor)
        return fail(ErrorCode::invalid_argument, where + "has shape " + shape_text(found.shape) +
                                                     ", but config.json asks for " + shape_text(wanted.shape) +
                                                     "; the two files are not of one model");
    return std::move(*tensor);
}

// A head is there when all its tensors are; a pooler too. Their sizes are the file's where config.json is silent.
void settle_head(const StoredModel& files, const Family& family, TransformerSpec& spec) {
    spec.pooler = spec.pooler && find_tensor(files, family, "pooler.weight");
    auto& head = spec.head;
    if (head.classes == 0 && (head.kind == HeadKind::sequence || head.kind == HeadKind::token))
        if (const auto* weight = find_tensor(files, family, "head.weight"); weight && !weight->shape.empty())
            head.classes = static_cast<int>(std::clamp<std::int64_t>(weight->shape.front(), 0, 1 << 24));
    if (head.kind == HeadKind::sequence && spec.classifier_pools && !spec.pooler) head = {};
    for (const auto& wanted : head_tensors_of(spec))
        if (!find_tensor(files, family, wanted.name)) {
            head = {};
            return;
        }
}

Result<Weights> pick_weights(StoredModel files, const Family& family, const TransformerSpec& spec,
                             const fs::path& folder) {
    std::map<std::string, HostTensor> chosen;
    auto all = tensors_of(spec);
    const auto heads = head_tensors_of(spec);
    all.insert(all.end(), heads.begin(), heads.end());
    for (const auto& wanted : all) {
        const auto their_name = family.tensor_names(wanted.name).front();
        const auto* tensor = find_tensor(files, family, wanted.name);
        if (!tensor)
            return fail(ErrorCode::invalid_argument,
                        folder.string() + " lacks tensor \"" + their_name +
                            "\", which config.json asks for; the weights are not of this model, or incomplete");
        ROOTSTOCK_TRY(ours, checked_tensor(*tensor, family, wanted, their_name, folder));
        chosen.emplace(wanted.name, std::move(ours));
    }
    return Weights(std::move(chosen), std::move(files.files));
}

// {"0": "card", "1": "refund"} in order; anything else gives no labels, for they are not ours to need.
std::vector<std::string> labels_of(const json::value& config) {
    const auto* map = config.as_object().if_contains("id2label");
    if (!map || !map->is_object()) return {};
    std::vector<std::string> labels(map->as_object().size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto* label = map->as_object().if_contains(std::to_string(i));
        if (!label || !label->is_string()) return {};
        labels[i] = label->as_string();
    }
    return labels;
}

}  // namespace

Result<TransformerSpec> spec_of_config(const json::value& config, std::string_view what) {
    ROOTSTOCK_TRY(read, read_spec(config, std::string(what)));
    return read.spec;
}

Result<TransformerSpec> load_spec(const fs::path& folder) {
    ROOTSTOCK_TRY(config, read_stored_config(folder));
    ROOTSTOCK_TRY(read, read_spec(config, folder));
    return read.spec;
}

Result<Model> load_model(const fs::path& folder) {
    ROOTSTOCK_TRY(config, read_stored_config(folder));
    ROOTSTOCK_TRY(read, read_spec(config, folder));
    ROOTSTOCK_TRY(files, read_stored_model(folder));
    settle_head(files, *read.family, read.spec);
    ROOTSTOCK_TRY(weights, pick_weights(std::move(files), *read.family, read.spec, folder));
    return Model{read.spec, std::move(weights), folder, labels_of(config)};
}

}  // namespace rootstock
