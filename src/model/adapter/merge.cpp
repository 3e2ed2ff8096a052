#include "model/adapter/merge.h"

#include <algorithm>
#include <cmath>

#include "model/adapter/peft_config.h"
#include "model/files/gguf_model.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight", kMagnitude = ".lora_magnitude_vector";
constexpr std::size_t kJsonMax = std::size_t{16} << 20;

Result<json::value> read_json(const fs::path& path) {
    ROOTSTOCK_TRY(text, read_file(path, kJsonMax));
    return parse_json(text, path.string());
}

// ---- reading ----

class AdapterReader {
public:
    AdapterReader(const PeftConfig& config, std::string what) : config_(config), what_(std::move(what)) {}
    Result<void> place(const std::string& key, const HostTensor& tensor, PeftAdapter& adapter) const;
    Result<void> finish(PeftAdapter& adapter) const;

private:
    std::unexpected<Error> corrupt(const std::string& sentence) const {
        return fail(ErrorCode::corrupt, what_ + " " + sentence + "; fetch it again, or train it again");
    }
    Result<void> check(const std::string& key, const HostTensor& tensor) const;

    const PeftConfig& config_;
    std::string what_;
};

Result<void> AdapterReader::check(const std::string& key, const HostTensor& tensor) const {
    if (!is_weight(tensor.dtype))
        return fail(ErrorCode::unsupported, what_ + ": tensor \"" + key + "\" has element type " + name(tensor.dtype) +
                                                "; an adapter must be F32, F16 or BF16");
    if (!std::ranges::all_of(to_floats(tensor), [](float number) { return std::isfinite(number); }))
        return corrupt("holds a number in \"" + key + "\" that is not finite");
    return {};
}

Result<void> AdapterReader::place(const std::string& key, const HostTensor& tensor, PeftAdapter& adapter) const {
    if (!key.starts_with(kPrefix)) return corrupt("has the tensor \"" + key + "\", which is of no PEFT adapter");
    ROOTSTOCK_CHECKED(check(key, tensor));
    const auto path = key.substr(kPrefix.size());
    const auto before = [&](std::string_view ending) { return path.substr(0, path.size() - ending.size()); };
    if (path.ends_with(kA))
        adapter.updates[before(kA)].a = tensor;
    else if (path.ends_with(kB))
        adapter.updates[before(kB)].b = tensor;
    else if (path.ends_with(kMagnitude))
        adapter.updates[before(kMagnitude)].magnitude = to_floats(tensor);
    else if (path.find(".lora_") != std::string::npos)
        return fail(ErrorCode::unsupported, what_ + ": tensor \"" + key +
                                                "\" is of an adapter feature that is not "
                                                "supported");
    else
        adapter.saved.emplace(path, tensor);
    return {};
}

// Every update must be whole, and of the rank that the configuration gives its module.
Result<void> AdapterReader::finish(PeftAdapter& adapter) const {
    for (auto& [path, update] : adapter.updates) {
        if (update.a.shape.size() != 2 || update.b.shape.size() != 2 || update.a.shape[0] != update.b.shape[1])
            return corrupt("has halves of the update of " + path + " that do not belong together");
        ROOTSTOCK_TRY(rank, config_.rank_of(path));
        if (update.a.shape[0] != rank)
            return corrupt("has an update of rank " + std::to_string(update.a.shape[0]) + " for " + path +
                           ", but adapter_config.json says " + std::to_string(rank));
        if (config_.dora ? static_cast<std::int64_t>(update.magnitude.size()) != update.b.shape[0]
                         : !update.magnitude.empty())
            return corrupt("and adapter_config.json do not agree on the lengths of rows of " + path);
        ROOTSTOCK_TRY(scale, config_.scale_of(path));
        update.rank = rank;
        update.scale = scale;
    }
    return {};
}

std::vector<std::string> labels_in(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::exists(folder / "rootstock.json", ignored)) return {};
    const auto meta = read_json(folder / "rootstock.json");
    const auto* list = meta && meta->is_object() ? meta->as_object().if_contains("labels") : nullptr;
    std::vector<std::string> labels;
    for (const auto& label : list && list->is_array() ? list->as_array() : json::array{})
        if (label.is_string()) labels.emplace_back(label.as_string());
    return labels;
}

}  // namespace

Result<PeftAdapter> read_peft_adapter(const fs::path& folder) {
    const auto config_file = folder / "adapter_config.json", weights = folder / "adapter_model.safetensors";
    ROOTSTOCK_TRY(value, read_json(config_file));
    ROOTSTOCK_TRY(config, peft_config_from_json(value, config_file.string(), PeftUse::merged));
    ROOTSTOCK_TRY(file, read_safetensors(weights));
    const AdapterReader reader(config, weights.string());
    PeftAdapter adapter;
    for (const auto& [key, tensor] : file.tensors) ROOTSTOCK_CHECKED(reader.place(key, tensor, adapter));
    ROOTSTOCK_CHECKED(reader.finish(adapter));
    adapter.fan_in_fan_out = config.fan_in_fan_out;
    adapter.task_type = config.task_type;
    adapter.labels = labels_in(folder);
    return adapter;
}

// ---- merging ----

std::vector<float> delta_of(const LowRankUpdate& update) {
    const auto rank = static_cast<std::size_t>(update.rank), out = static_cast<std::size_t>(update.b.shape[0]),
               in = static_cast<std::size_t>(update.a.shape[1]);
    const auto a = to_floats(update.a), b = to_floats(update.b);
    const auto scale = static_cast<float>(update.scale);
    std::vector<float> delta(out * in);
    std::vector<double> row(in);
    for (std::size_t i = 0; i < out; ++i) {
        std::ranges::fill(row, 0.0);
        for (std::size_t k = 0; k < rank; ++k) {
            const double factor = b[i * rank + k];
            for (std::size_t j = 0; j < in; ++j) row[j] += factor * a[k * in + j];
        }
        for (std::size_t j = 0; j < in; ++j) delta[i * in + j] = static_cast<float>(row[j]) * scale;
    }
    return delta;
}

namespace {

struct Task {
    std::string_view type, ending;
};
constexpr Task kTasks[] = {{"SEQ_CLS", "ForSequenceClassification"},
                           {"TOKEN_CLS", "ForTokenClassification"},
                           {"QUESTION_ANS", "ForQuestionAnswering"},
                           {"CAUSAL_LM", "ForCausalLM"}};
struct ClassName {
    std::string_view model_type, name;
};
constexpr ClassName kClasses[] = {{"bert", "Bert"},   {"roberta", "Roberta"}, {"xlm-roberta", "XLMRoberta"},
                                  {"gpt2", "GPT2"},   {"llama", "Llama"},     {"mistral", "Mistral"},
                                  {"qwen2", "Qwen2"}, {"vit", "ViT"},         {"distilbert", "DistilBert"},
                                  {"t5", "T5"},       {"mt5", "MT5"}};
// What stands before the names of a bare model inside one with a head.
constexpr std::string_view kModelPrefixes[] = {"bert.", "roberta.", "distilbert.", "transformer.", "model.", "vit."};

std::unexpected<Error> misfit(const std::string& sentence) {
    return fail(ErrorCode::invalid_argument, "the adapter " + sentence + "; it was made for another model", {},
                "adapter_misfit");
}

class Merger {
public:
    Merger(StoredModel base, const PeftAdapter& adapter, MergedType type)
        : model_(std::move(base)), adapter_(adapter), type_(type) {}
    Result<StoredModel> merge();

private:
    void take_prefix();
    Result<void> update(const std::string& path, const LowRankUpdate& update);
    void describe();

    StoredModel model_;
    const PeftAdapter& adapter_;
    MergedType type_;
};

// An adapter of a model with a head names modules behind a prefix; a base saved bare takes it on.
void Merger::take_prefix() {
    for (const auto prefix : kModelPrefixes) {
        const auto begins = [&](const auto& item) { return item.first.starts_with(prefix); };
        if (std::ranges::none_of(adapter_.updates, begins) || std::ranges::any_of(model_.tensors, begins)) continue;
        std::map<std::string, HostTensor> renamed;
        for (auto& [name, tensor] : model_.tensors) renamed.emplace(std::string(prefix) + name, std::move(tensor));
        model_.tensors = std::move(renamed);
    }
}

void scale_rows(std::vector<float>& weight, const std::vector<float>& magnitude) {
    const auto width = weight.size() / magnitude.size();
    for (std::size_t i = 0; i < magnitude.size(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < width; ++j)
            sum += static_cast<double>(weight[i * width + j]) * weight[i * width + j];
        const auto factor = sum == 0 ? 0 : magnitude[i] / static_cast<float>(std::sqrt(sum));
        for (std::size_t j = 0; j < width; ++j) weight[i * width + j] *= factor;
    }
}

Result<void> Merger::update(const std::string& path, const LowRankUpdate& update) {
    auto place = model_.tensors.find(path + ".weight");
    for (const auto prefix : kModelPrefixes)  // an adapter of the bare model on a base with a head
        if (place == model_.tensors.end()) place = model_.tensors.find(std::string(prefix) + path + ".weight");
    if (place == model_.tensors.end()) return misfit("changes " + path + ", which the base does not have");
    auto& tensor = place->second;
    std::vector<std::int64_t> shape{update.b.shape[0], update.a.shape[1]};
    const bool turned = adapter_.fan_in_fan_out;
    if (turned) std::swap(shape[0], shape[1]);
    if (tensor.shape != shape)
        return misfit("wants " + path + " as " + shape_text(shape) + ", but the base has " + shape_text(tensor.shape));
    auto weight = to_floats(turned ? transposed(tensor) : tensor);
    const auto delta = delta_of(update);
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] += delta[i];
    if (!update.magnitude.empty()) scale_rows(weight, update.magnitude);
    auto merged = make_tensor({update.b.shape[0], update.a.shape[1]}, weight);
    if (turned) merged = transposed(merged);
    tensor = type_ == MergedType::f32 || is_blocks(tensor.dtype) ? merged : converted(merged, tensor.dtype);
    return {};
}

json::object numbered(const std::vector<std::string>& labels) {
    json::object object;
    for (std::size_t i = 0; i < labels.size(); ++i) object[std::to_string(i)] = labels[i];
    return object;
}

// config.json says which class of transformers carries the head, and what its rows mean.
void Merger::describe() {
    const auto* type = model_.config.if_contains("model_type");
    const std::string word = type && type->is_string() ? std::string(type->as_string()) : "";
    const auto task = std::ranges::find(kTasks, std::string_view(adapter_.task_type), &Task::type);
    const auto family = std::ranges::find(kClasses, std::string_view(word), &ClassName::model_type);
    const bool sees = (word == "vit" || word == "deit") && adapter_.saved.contains("classifier.weight");
    const bool causal_gpt2 = word == "gpt2" && adapter_.task_type == "CAUSAL_LM";
    if (task != std::end(kTasks) && family != std::end(kClasses))
        model_.config["architectures"] = json::array{
            causal_gpt2 ? std::string("GPT2LMHeadModel") : std::string(family->name) + std::string(task->ending)};
    if (sees)  // peft has no task for pictures
        model_.config["architectures"] =
            json::array{std::string(word == "vit" ? "ViT" : "DeiT") + "ForImageClassification"};
    for (const char* head :
         {"classifier.weight", "score.weight", "classifier.out_proj.weight", "classification_head.out_proj.weight"}) {
        const auto place = adapter_.saved.find(head);
        if (place == adapter_.saved.end() || place->second.shape.empty()) continue;
        auto labels = adapter_.labels;
        const auto classes = static_cast<std::size_t>(place->second.shape[0]);
        const auto* known = model_.config.if_contains("id2label");
        const bool fits = known && known->is_object() && known->as_object().size() == classes;
        if (labels.size() != classes && fits) continue;
        if (labels.size() != classes) {
            labels.clear();
            for (std::size_t i = 0; i < classes; ++i) labels.push_back("LABEL_" + std::to_string(i));
        }
        model_.config["id2label"] = numbered(labels);
    }
}

Result<StoredModel> Merger::merge() {
    take_prefix();
    for (const auto& [path, low_rank] : adapter_.updates) ROOTSTOCK_CHECKED(update(path, low_rank));
    for (const auto& [path, tensor] : adapter_.saved) model_.tensors[path] = tensor;
    describe();
    return std::move(model_);
}

}  // namespace

Result<StoredModel> merged_model(StoredModel base, const PeftAdapter& adapter, MergedType type) {
    return Merger(std::move(base), adapter, type).merge();
}

}  // namespace rootstock
