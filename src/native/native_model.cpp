#include <omp.h>

#include <algorithm>
#include <cstring>

#include "native/kernels/cpu.h"
#include "native/parts.h"

namespace rootstock {

namespace {

Result<void> check_supported(const TransformerSpec& spec) {
    const auto refuse = [](const char* option) {
        return fail(ErrorCode::unsupported, std::string("the native executor does not run models with ") + option);
    };
    if (spec.pooler_activation != Activation::tanh && spec.pooler_activation != Activation::relu)
        return refuse("a classifier's map that ends in neither tanh nor ReLU");
    if (spec.norm_place == NormPlace::after && spec.norm != NormKind::layer) return refuse("RMS norms after the sum");
    if (spec.norm_place == NormPlace::after && !spec.embedding_norm) return refuse("no norm on the embeddings");
    return {};
}

After after_of(Activation activation) {
    switch (activation) {
        case Activation::gelu_tanh:
            return After::gelu_tanh;
        case Activation::gelu_quick:
            return After::gelu_quick;
        case Activation::relu:
            return After::relu;
        case Activation::silu:
            return After::silu;
        case Activation::tanh:
            return After::tanh;
        default:
            return After::gelu_erf;
    }
}

struct Choice {
    Precision precision;
    std::string note;
};

Choice choose_precision(Precision wanted, const TransformerSpec& spec) {
    if (wanted == Precision::fp32) return {wanted, {}};
    if (!cpu_has_bf16() || !library_has_bf16()) return {Precision::fp32, "no bf16 products on this CPU"};
    if (spec.width % 2 || spec.inner % 2 || spec.head_width % 2 || spec.patches.numbers() % 2)
        return {Precision::fp32, "bf16 needs even widths"};
    return {wanted, {}};
}

// Turns a model's tensors into Parts. Goes over them twice: first to learn how much memory they need, then to pack.
class Packer {
public:
    Packer(const Model& model, NativeModel::Parts& parts) : model_(model), spec_(model.spec), parts_(parts) {}

    void pack() {
        visit();
        parts_.arena = Arena(bytes_);
        measuring_ = false;
        visit();
        model_.weights.release_pages();
    }

private:
    using Modules = std::vector<std::string>;
    using NameOf = std::string (*)(int layer, std::string_view part);

    void visit() {
        embeddings();
        stack(parts_.encoder, spec_.layers, layer_name, "", spec_.attention == AttentionDirection::causal);
        if (spec_.decoder_layers > 0) stack(parts_.decoder, spec_.decoder_layers, decoder_layer_name, "decoder.", true);
        if (spec_.pooler)
            parts_.pooler =
                linear({"pooler"}, spec_.width, spec_.width, Element::fp32, after_of(spec_.pooler_activation));
        head();
    }

    void embeddings() {
        if (spec_.inputs == Inputs::columns)
            columns();
        else if (spec_.inputs == Inputs::patches)
            parts_.patches = linear({"embed.patches"}, spec_.patches.numbers(), spec_.width, Element::fp32);
        else
            parts_.tokens = table("embed.tokens.weight");
        parts_.specials.clear();
        for (const char* special : {"embed.class.weight", "embed.distillation.weight"})
            if (const auto* tensor = model_.weights.find(special)) {
                const auto numbers = to_floats(*tensor);
                parts_.specials.insert(parts_.specials.end(), numbers.begin(), numbers.end());
            }
        if (spec_.positions == Positions::learned) parts_.positions = table("embed.positions.weight");
        if (spec_.types > 0) parts_.types = table("embed.types.weight");
        if (spec_.embedding_norm) parts_.embed_norm = norm("embed.norm");
    }

    void columns() {
        auto& columns = parts_.columns;
        const auto floats = [&](const char* name) {
            const auto* tensor = model_.weights.find(name);
            return tensor ? to_floats(*tensor) : std::vector<float>();
        };
        columns.number_weights = floats("embed.numbers.weight");
        columns.number_biases = floats("embed.numbers.bias");
        columns.missing = floats("embed.missing.weight");
        columns.category_biases = floats("embed.category_bias.weight");
        columns.categories.clear();
        for (std::size_t i = 0; i < spec_.columns.categories.size(); ++i)
            columns.categories.push_back(table(category_table_name(static_cast<int>(i))));
    }

    void stack(StackWeights& stack, int layers, NameOf name_of, const std::string& before, bool causal) {
        stack.layers.clear();
        stack.causal = causal;
        for (int layer = 0; layer < layers; ++layer)
            stack.layers.push_back(layer_weights(name_of, layer, !before.empty()));
        if (spec_.final_norm) stack.final_norm = norm(before + "final_norm");
        if (spec_.positions != Positions::relative_buckets) return;
        stack.relative = to_floats(model_.weights.at(before + "relative_bias.weight"));
        for (auto& bias : stack.relative) bias = static_cast<float>(bias / spec_.score_scale);
    }

    LayerWeights layer_weights(NameOf name_of, int layer, bool cross) {
        const auto name = [&](const char* part) { return name_of(layer, part); };
        const auto element = parts_.element();
        const auto activation = after_of(spec_.activation);
        const int width = spec_.width, queries = spec_.query_width(), keys = spec_.key_value_width();
        LayerWeights w;
        w.qkv = linear({name("query"), name("key"), name("value")}, width, queries + 2 * keys, element);
        if (spec_.attention_output)
            w.attention_output = linear({name("attention_output")}, queries, width, Element::fp32);
        w.attention_norm = norm(name("attention_norm"));
        if (cross) {
            w.cross_query = linear({name("cross_query")}, width, queries, element);
            w.cross_key_value = linear({name("cross_key"), name("cross_value")}, width, 2 * keys, element);
            w.cross_output = linear({name("cross_attention_output")}, queries, width, Element::fp32);
            w.cross_norm = norm(name("cross_norm"));
        }
        const bool gated = spec_.mlp == Mlp::gated;
        if (gated) w.gate = linear({name("gate")}, width, spec_.inner, element, activation);
        w.inner = linear({name("inner")}, width, spec_.inner, element, gated ? After::nothing : activation);
        w.output = linear({name("output")}, spec_.inner, width, Element::fp32);
        w.output_norm = norm(name("output_norm"));
        w.window = layer >= spec_.window_first_layer ? spec_.window : 0;
        return w;
    }

    void head() {
        const auto& head = spec_.head;
        if (head.kind == HeadKind::none) return;
        auto& weights = parts_.head;
        if (head.kind != HeadKind::masked_lm && head.kind != HeadKind::causal_lm) {
            weights.classifier = classifier("head");
            if (head.distillation) weights.distillation = classifier("head.distillation");
            return;
        }
        if (head.kind == HeadKind::masked_lm) {
            weights.transform =
                linear({"head.transform"}, spec_.width, spec_.width, Element::fp32, after_of(spec_.activation));
            weights.norm = norm("head.norm");
        }
        weights.words = linear({head.tied ? "embed.tokens" : "head"}, spec_.width, spec_.vocabulary, Element::fp32,
                               After::nothing, "head.bias");
    }

    Head classifier(const std::string& name) {
        Head head{spec_.head.classes, spec_.width, to_floats(model_.weights.at(name + ".weight")), {}};
        const auto* bias = model_.weights.find(name + ".bias");
        head.bias = bias ? to_floats(*bias) : std::vector<float>(static_cast<std::size_t>(head.classes));
        if (spec_.head.dense) {
            head.dense_weight = to_floats(model_.weights.at(name + ".dense.weight"));
            head.dense_bias = to_floats(model_.weights.at(name + ".dense.bias"));
        }
        return head;
    }

    Table table(const std::string& name) { return {model_.weights.at(name), spec_.width}; }

    NormWeights norm(const std::string& name) { return {copy(name + ".weight"), copy(name + ".bias")}; }

    // Null when the model has no such tensor.
    const float* copy(const std::string& name) {
        const auto* tensor = model_.weights.find(name);
        if (!tensor) return nullptr;
        const auto count = static_cast<std::size_t>(tensor->elements());
        bytes_ += Arena::rounded(count * sizeof(float));
        if (measuring_) return nullptr;
        auto* place = static_cast<float*>(parts_.arena.take(count * sizeof(float)));
        copy_as_floats(*tensor, {place, count});
        return place;
    }

    // The modules' tensors one below the other as fp32, null when they have none; a single fp32 tensor is read where it
    // stands.
    const float* stacked(const Modules& names, std::vector<float>& buffer) {
        const auto* first = model_.weights.find(names.front());
        if (!first) return nullptr;
        if (names.size() == 1 && first->dtype == Dtype::f32) return first->floats().data();
        std::size_t size = 0;
        for (const auto& name : names) size += static_cast<std::size_t>(model_.weights.at(name).elements());
        buffer.resize(size);
        std::span<float> rest(buffer);
        for (const auto& name : names) {
            const auto& tensor = model_.weights.at(name);
            const auto count = static_cast<std::size_t>(tensor.elements());
            copy_as_floats(tensor, rest.first(count));
            rest = rest.subspan(count);
        }
        return buffer.data();
    }

    Linear linear(const Modules& modules, int in, int out, Element y, After after = After::nothing,
                  const std::string& bias = {}) {
        const auto made = layout({in, out, parts_.element(), y, after, parts_.precision == Precision::int8});
        bytes_ += packed_bytes(*made);
        if (measuring_) return {};
        Modules weights, biases;
        for (const auto& module : modules) weights.push_back(module + ".weight"), biases.push_back(module + ".bias");
        if (!bias.empty()) biases = {bias};
        const auto* numbers = stacked(weights, weights_buffer_);
        return {made, numbers, stacked(biases, bias_buffer_), parts_.arena};
    }

    std::shared_ptr<const LinearLayout> layout(const LinearForm& form) {
        for (const auto& [known, made] : layouts_)
            if (known == form) return made;
        layouts_.emplace_back(form, make_layout(form));
        return layouts_.back().second;
    }

    const Model& model_;
    const TransformerSpec& spec_;
    NativeModel::Parts& parts_;
    bool measuring_ = true;
    std::size_t bytes_ = 0;
    std::vector<std::pair<LinearForm, std::shared_ptr<const LinearLayout>>> layouts_;
    std::vector<float> weights_buffer_, bias_buffer_;
};

std::string megabytes(std::size_t bytes) {
    const auto tenths = (bytes + 50'000) / 100'000;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MB";
}

}  // namespace

const float* Table::row(std::int32_t index, float* scratch) const {
    const auto count = static_cast<std::size_t>(width);
    if (tensor.dtype == Dtype::f32) return tensor.floats().data() + static_cast<std::size_t>(index) * count;
    copy_as_floats(row_of(tensor, index), {scratch, count});
    return scratch;
}

NativeModel::NativeModel(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
NativeModel::~NativeModel() = default;

Result<std::shared_ptr<const NativeModel>> NativeModel::load(const Model& model, NativeOptions options) {
    ROOTSTOCK_CHECKED(check_supported(model.spec));
    auto parts = std::make_unique<Parts>();
    auto choice = choose_precision(options.precision, model.spec);
    parts->spec = model.spec;
    parts->precision = choice.precision;
    parts->note = std::move(choice.note);
    parts->threads = options.threads > 0 ? options.threads : omp_get_max_threads();
    const auto fault = guard_library([&] { Packer(model, *parts).pack(); });
    if (!fault.empty()) return fail(ErrorCode::internal, "the model could not be packed: " + fault);
    if (!parts->note.empty()) spdlog::warn("running in fp32: {}", parts->note);
    return std::shared_ptr<const NativeModel>(new NativeModel(std::move(parts)));
}

const TransformerSpec& NativeModel::spec() const { return parts_->spec; }
Precision NativeModel::precision() const { return parts_->precision; }
int NativeModel::threads() const { return parts_->threads; }
std::size_t NativeModel::packed_bytes() const { return parts_->arena.used(); }

std::string NativeModel::description() const {
    const char* names[] = {"fp32", "bf16", "int8 and bf16"};
    const bool fp32 = parts_->precision == Precision::fp32;
    std::string text =
        std::string(names[static_cast<int>(parts_->precision)]) + " on " + (fp32 ? vector_target() : "AVX-512 BF16");
    if (!parts_->note.empty()) text += " (" + parts_->note + ")";
    return text + ", " + linear_library() + ", " + std::to_string(parts_->threads) + " threads, " +
           megabytes(packed_bytes()) + " packed";
}

}  // namespace rootstock
