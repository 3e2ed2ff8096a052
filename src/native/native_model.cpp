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
    if (spec.norm != NormKind::layer || spec.norm_place != NormPlace::after)
        return refuse("this kind of normalisation");
    if (spec.positions != Positions::learned) return refuse("positions that are not learned");
    if (spec.attention != AttentionDirection::both_ways) return refuse("causal attention");
    if (spec.mlp != Mlp::plain || spec.activation == Activation::silu) return refuse("a gated MLP");
    if (spec.key_value_heads != spec.heads || spec.heads * spec.head_width != spec.width)
        return refuse("shared key and value heads");
    if (!spec.biases) return refuse("linear maps without bias");
    return {};
}

After activation_of(const TransformerSpec& spec) {
    switch (spec.activation) {
        case Activation::gelu_tanh:
            return After::gelu_tanh;
        case Activation::relu:
            return After::relu;
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
    if (spec.width % 2 || spec.inner % 2 || spec.head_width % 2) return {Precision::fp32, "bf16 needs even widths"};
    return {Precision::bf16, {}};
}

// Turns a model's tensors into Parts: first every layout, then the arena that holds them all, then the packing.
class Packer {
public:
    Packer(const Model& model, NativeModel::Parts& parts) : model_(model), parts_(parts) {}

    void pack() {
        make_layouts();
        parts_.arena = Arena(bytes());
        tables();
        for (int layer = 0; layer < parts_.spec.layers; ++layer) parts_.layers.push_back(layer_weights(layer));
        parts_.has_pooler = parts_.spec.pooler;
        if (parts_.has_pooler) parts_.pooler = linear(pooler_, {"pooler"});
        model_.weights.release_pages();
    }

private:
    using Layout = std::shared_ptr<const LinearLayout>;

    void make_layouts() {
        const auto& spec = parts_.spec;
        const auto element = parts_.element();
        qkv_ = make_layout({spec.width, 3 * spec.width, element, element, After::nothing});
        square_ = make_layout({spec.width, spec.width, element, Element::fp32, After::nothing});
        inner_ = make_layout({spec.width, spec.inner, element, element, activation_of(spec)});
        output_ = make_layout({spec.inner, spec.width, element, Element::fp32, After::nothing});
        if (spec.pooler) pooler_ = make_layout({spec.width, spec.width, element, Element::fp32, After::tanh});
    }

    std::size_t bytes() const {
        const auto layers = static_cast<std::size_t>(parts_.spec.layers);
        const auto norm = 2 * Arena::rounded(static_cast<std::size_t>(parts_.spec.width) * sizeof(float));
        const auto layer =
            packed_bytes(*qkv_) + packed_bytes(*square_) + packed_bytes(*inner_) + packed_bytes(*output_) + 2 * norm;
        return layers * layer + norm + (pooler_ ? packed_bytes(*pooler_) : 0);
    }

    Table table(const char* name) { return {model_.weights.at(name), parts_.spec.width}; }

    void tables() {
        parts_.tokens = table("embed.tokens.weight");
        parts_.positions = table("embed.positions.weight");
        if (parts_.spec.types > 0) parts_.types = table("embed.types.weight");
        parts_.embed_norm = norm("embed.norm");
    }

    NormWeights norm(const std::string& name) { return {copy(name + ".weight"), copy(name + ".bias")}; }

    const float* copy(const std::string& name) {
        const auto& tensor = model_.weights.at(name);
        const auto count = static_cast<std::size_t>(tensor.elements());
        auto* place = static_cast<float*>(parts_.arena.take(count * sizeof(float)));
        copy_as_floats(tensor, {place, count});
        return place;
    }

    // The tensors one below the other as fp32; a single fp32 tensor is read where it stands.
    const float* stacked(const std::vector<std::string>& modules, const char* part, std::vector<float>& buffer) {
        const auto& first = model_.weights.at(modules.front() + part);
        if (modules.size() == 1 && first.dtype == Dtype::f32) return first.floats().data();
        buffer.resize(modules.size() * static_cast<std::size_t>(first.elements()));
        std::span<float> rest(buffer);
        for (const auto& module : modules) {
            const auto& tensor = model_.weights.at(module + part);
            const auto count = static_cast<std::size_t>(tensor.elements());
            copy_as_floats(tensor, rest.first(count));
            rest = rest.subspan(count);
        }
        return buffer.data();
    }

    Linear linear(const Layout& layout, const std::vector<std::string>& modules) {
        const auto* weights = stacked(modules, ".weight", weights_buffer_);
        return {layout, weights, stacked(modules, ".bias", bias_buffer_), parts_.arena};
    }

    LayerWeights layer_weights(int layer) {
        const auto name = [&](const char* part) { return layer_name(layer, part); };
        return {linear(qkv_, {name("query"), name("key"), name("value")}),
                linear(square_, {name("attention_output")}),
                linear(inner_, {name("inner")}),
                linear(output_, {name("output")}),
                norm(name("attention_norm")),
                norm(name("output_norm"))};
    }

    const Model& model_;
    NativeModel::Parts& parts_;
    Layout qkv_, square_, inner_, output_, pooler_;
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
    const bool bf16 = parts_->precision == Precision::bf16;
    std::string text = std::string(bf16 ? "bf16" : "fp32") + " on " + (bf16 ? "AVX-512 BF16" : vector_target());
    if (!parts_->note.empty()) text += " (" + parts_->note + ")";
    return text + ", " + linear_library() + ", " + std::to_string(parts_->threads) + " threads, " +
           megabytes(packed_bytes()) + " packed";
}

}  // namespace rootstock
