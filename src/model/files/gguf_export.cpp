// A model out as one GGUF file: the reverse of gguf_config.cpp.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/files/gguf_model.h"
#include "model/files/stored_model.h"

namespace rootstock {

namespace {

struct Family {
    std::string_view model_type, architecture, prefix;
};
constexpr Family kFamilies[] = {{"llama", "llama", ""},
                                {"mistral", "llama", ""},
                                {"qwen2", "qwen2", ""},
                                {"gpt2", "gpt2", "transformer."},
                                {"bert", "bert", "bert."}};

// Buffers that old files carry along; they are no weights.
bool is_buffer(std::string_view name) {
    return name.ends_with("position_ids") || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") ||
           name.ends_with("rotary_emb.inv_freq");
}

class Exporter {
public:
    Exporter(const StoredModel& model, Dtype dtype) : model_(model), config_(model.config), dtype_(dtype) {}
    Result<void> gather();

    GgufValues values;
    GgufTensors tensors;
    std::vector<std::string> left_out;
    std::int64_t rows = 0;  // of the token table

private:
    std::unexpected<Error> unsupported(const std::string& what) const {
        return fail(ErrorCode::unsupported, what + " has no place in a GGUF file of this architecture");
    }
    std::string key(std::string_view name) const {
        return std::string(family_->architecture) + "." + std::string(name);
    }
    std::optional<std::int64_t> integer(std::string_view field) const;
    std::optional<double> number(std::string_view field) const;
    Result<void> put_count(std::string_view name, std::string_view field);
    Result<void> put_epsilon(std::string_view name, std::string_view field);
    Result<void> find_family();
    Result<void> put_llama();
    Result<void> put_rope(std::int64_t head_width);
    void put_llama3_factors(const json::object& scaling, double theta, std::int64_t head_width);
    Result<void> put_gpt2();
    Result<void> put_bert();
    Result<void> put_tensor(const std::string& name, const HostTensor& tensor);
    Dtype type_of(std::string_view name, const HostTensor& tensor) const;
    void put_general();

    const StoredModel& model_;
    const json::object& config_;
    const Family* family_ = nullptr;
    Dtype dtype_;
};

std::optional<std::int64_t> Exporter::integer(std::string_view field) const {
    const auto* value = config_.if_contains(field);
    const auto* found = value ? value->if_int64() : nullptr;
    return found ? std::optional(*found) : std::nullopt;
}

std::optional<double> Exporter::number(std::string_view field) const {
    const auto* value = config_.if_contains(field);
    return value && value->is_number() ? std::optional(value->to_number<double>()) : std::nullopt;
}

Result<void> Exporter::put_count(std::string_view name, std::string_view field) {
    const auto found = integer(field);
    if (!found || *found < 1 || *found > 0xffffffff)
        return fail(ErrorCode::invalid_argument, "config.json lacks the number " + std::string(field));
    values[key(name)] = GgufValue::of_u32(static_cast<std::uint32_t>(*found));
    return {};
}

Result<void> Exporter::put_epsilon(std::string_view name, std::string_view field) {
    const auto found = number(field);
    if (!found) return fail(ErrorCode::invalid_argument, "config.json lacks the number " + std::string(field));
    values[key(name)] = GgufValue::of_f32(*found);
    return {};
}

Result<void> Exporter::find_family() {
    const auto* type = config_.if_contains("model_type");
    const std::string text = type && type->is_string() ? std::string(type->as_string()) : "";
    family_ = std::ranges::find(kFamilies, std::string_view(text), &Family::model_type);
    if (family_ != std::end(kFamilies)) return {};
    return fail(ErrorCode::unsupported, "a model of type \"" + text +
                                            "\" cannot be exported as GGUF; llama, mistral, qwen2, gpt2 and bert can");
}

// ---- key-values ----

// The divisor of each frequency, which is all that GGUF keeps of Llama 3.1's scaling.
void Exporter::put_llama3_factors(const json::object& scaling, double theta, std::int64_t head_width) {
    const auto at = [&](const char* field, double otherwise) {
        const auto* value = scaling.if_contains(field);
        return value && value->is_number() ? value->to_number<double>() : otherwise;
    };
    const double factor = at("factor", 8), low = at("low_freq_factor", 1), high = at("high_freq_factor", 4),
                 original = at("original_max_position_embeddings", 8192);
    std::vector<float> divisors;
    for (std::int64_t i = 0; i < head_width / 2; ++i) {
        const double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_width));
        const double wave = 2 * std::numbers::pi / frequency;
        const double smooth = std::clamp((original / wave - low) / (high - low), 0.0, 1.0);
        divisors.push_back(static_cast<float>(1 / ((1 - smooth) / factor + smooth)));
    }
    tensors.emplace_back("rope_freqs.weight", make_tensor({head_width / 2}, divisors));
}

Result<void> Exporter::put_rope(std::int64_t head_width) {
    const auto* parameters = config_.if_contains("rope_parameters");
    const auto* scaling = config_.if_contains("rope_scaling");
    auto theta = number("rope_theta").value_or(10000);
    if (parameters && parameters->is_object()) {
        if (const auto* inner = parameters->as_object().if_contains("rope_theta"); inner && inner->is_number())
            theta = inner->to_number<double>();
        scaling = parameters;
    }
    values[key("rope.freq_base")] = GgufValue::of_f32(theta);
    values[key("rope.dimension_count")] = GgufValue::of_u32(static_cast<std::uint32_t>(head_width));
    if (!scaling || !scaling->is_object()) return {};
    const auto& object = scaling->as_object();
    const auto* kind = object.if_contains("rope_type") ? object.if_contains("rope_type") : object.if_contains("type");
    const std::string word = kind && kind->is_string() ? std::string(kind->as_string()) : "default";
    if (word == "default") return {};
    if (word == "llama3") {
        put_llama3_factors(object, theta, head_width);
        return {};
    }
    const auto* factor = object.if_contains("factor");
    if ((word != "linear" && word != "yarn") || !factor || !factor->is_number())
        return unsupported("the rope scaling \"" + word + "\"");
    values[key("rope.scaling.type")] = GgufValue::of_string(word);
    values[key("rope.scaling.factor")] = GgufValue::of_f32(factor->to_number<double>());
    const auto* original = object.if_contains("original_max_position_embeddings");
    if (original && original->is_int64())
        values[key("rope.scaling.original_context_length")] =
            GgufValue::of_u32(static_cast<std::uint32_t>(original->as_int64()));
    return {};
}

Result<void> Exporter::put_llama() {
    ROOTSTOCK_CHECKED(put_count("context_length", "max_position_embeddings"));
    ROOTSTOCK_CHECKED(put_count("embedding_length", "hidden_size"));
    ROOTSTOCK_CHECKED(put_count("block_count", "num_hidden_layers"));
    ROOTSTOCK_CHECKED(put_count("feed_forward_length", "intermediate_size"));
    ROOTSTOCK_CHECKED(put_count("attention.head_count", "num_attention_heads"));
    ROOTSTOCK_CHECKED(put_epsilon("attention.layer_norm_rms_epsilon", "rms_norm_eps"));
    const auto heads = *integer("num_attention_heads"), width = *integer("hidden_size");
    const auto shared = integer("num_key_value_heads").value_or(heads);
    const auto head_width = integer("head_dim").value_or(width / heads);
    values[key("attention.head_count_kv")] = GgufValue::of_u32(static_cast<std::uint32_t>(shared));
    if (head_width != width / heads)
        for (const char* name : {"attention.key_length", "attention.value_length"})
            values[key(name)] = GgufValue::of_u32(static_cast<std::uint32_t>(head_width));
    const auto* use = config_.if_contains("use_sliding_window");
    const auto window = integer("sliding_window");
    if (window && *window < integer("max_position_embeddings").value_or(0) &&
        !(use && use->is_bool() && !use->as_bool()))
        return unsupported("the sliding window of " + std::to_string(*window) + " tokens");
    return put_rope(head_width);
}

Result<void> Exporter::put_gpt2() {
    ROOTSTOCK_CHECKED(put_count("context_length", "n_positions"));
    ROOTSTOCK_CHECKED(put_count("embedding_length", "n_embd"));
    ROOTSTOCK_CHECKED(put_count("block_count", "n_layer"));
    ROOTSTOCK_CHECKED(put_count("attention.head_count", "n_head"));
    const auto inner = integer("n_inner").value_or(4 * *integer("n_embd"));
    values[key("feed_forward_length")] = GgufValue::of_u32(static_cast<std::uint32_t>(inner));
    const auto* act = config_.if_contains("activation_function");
    if (act && act->is_string() && act->as_string() != "gelu_new" && act->as_string() != "gelu_pytorch_tanh")
        return unsupported("the activation \"" + std::string(act->as_string()) + "\"");
    values[key("attention.layer_norm_epsilon")] = GgufValue::of_f32(number("layer_norm_epsilon").value_or(1e-5));
    return {};
}

Result<void> Exporter::put_bert() {
    ROOTSTOCK_CHECKED(put_count("context_length", "max_position_embeddings"));
    ROOTSTOCK_CHECKED(put_count("embedding_length", "hidden_size"));
    ROOTSTOCK_CHECKED(put_count("block_count", "num_hidden_layers"));
    ROOTSTOCK_CHECKED(put_count("feed_forward_length", "intermediate_size"));
    ROOTSTOCK_CHECKED(put_count("attention.head_count", "num_attention_heads"));
    const auto* act = config_.if_contains("hidden_act");
    if (act && act->is_string() && act->as_string() != "gelu")
        return unsupported("the activation \"" + std::string(act->as_string()) + "\"");
    values[key("attention.layer_norm_epsilon")] = GgufValue::of_f32(number("layer_norm_eps").value_or(1e-12));
    values[key("attention.causal")] = GgufValue::of_bool(false);
    return {};
}

void Exporter::put_general() {
    const std::uint32_t file_type = dtype_ == Dtype::f32 ? 0 : dtype_ == Dtype::f16 ? 1 : dtype_ == Dtype::q4_0 ? 2 : 7;
    values["general.architecture"] = GgufValue::of_string(std::string(family_->architecture));
    values["general.type"] = GgufValue::of_string("model");
    values["general.file_type"] = GgufValue::of_u32(file_type);
    values["general.quantization_version"] = GgufValue::of_u32(2);
}

// ---- tensors ----

Dtype Exporter::type_of(std::string_view name, const HostTensor& tensor) const {
    if (tensor.shape.size() != 2 || name == "position_embd.weight" || name == "token_types.weight") return Dtype::f32;
    return tensor.shape[1] % block_elements(dtype_) == 0 ? dtype_ : Dtype::f16;
}

Result<void> Exporter::put_tensor(const std::string& name, const HostTensor& tensor) {
    const std::string architecture(family_->architecture);
    auto theirs = gguf_name(architecture, name);
    if (theirs.empty()) theirs = gguf_name(architecture, std::string(family_->prefix) + name);
    if (theirs.empty() && name.find("pooler.dense.") != std::string::npos) {
        left_out.push_back(name);
        return {};
    }
    if (theirs.empty() || !is_weight(tensor.dtype)) return unsupported("tensor \"" + name + "\"");
    auto ours = tensor;
    const auto layout = gguf_layout(architecture, theirs);
    if (layout == GgufLayout::transposed) ours = transposed(tensor);
    if (layout == GgufLayout::rotary_rows) {
        const bool keys = theirs.find(".attn_k.") != std::string::npos;
        const auto heads = *integer("num_attention_heads");
        const auto own = keys ? integer("num_key_value_heads").value_or(heads) : heads;
        if (own < 1 || tensor.shape.empty() || tensor.shape.front() % (2 * own) != 0)
            return fail(ErrorCode::invalid_argument, "tensor \"" + name + "\" does not fit the heads of config.json");
        ours = interleaved_rows(tensor, own);
    }
    if (theirs == "token_embd.weight" && tensor.shape.size() == 2) rows = tensor.shape[0];
    tensors.emplace_back(theirs, converted(ours, type_of(theirs, ours)));
    return {};
}

Result<void> Exporter::gather() {
    ROOTSTOCK_CHECKED(find_family());
    put_general();
    const auto architecture = family_->architecture;
    ROOTSTOCK_CHECKED(architecture == "gpt2" ? put_gpt2() : architecture == "bert" ? put_bert() : put_llama());
    for (const auto& [name, tensor] : model_.tensors)
        if (!is_buffer(name)) ROOTSTOCK_CHECKED(put_tensor(name, tensor));
    if (rows == 0) return fail(ErrorCode::invalid_argument, "the model has no table of token embeddings");
    values[key("vocab_size")] = GgufValue::of_u32(static_cast<std::uint32_t>(rows));
    return {};
}

}  // namespace

Result<std::vector<std::string>> write_gguf_model(const StoredModel& model,
                                                  const std::map<std::string, std::string>& side_files,
                                                  const std::filesystem::path& path, Dtype dtype) {
    ROOTSTOCK_CHECK(dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::q8_0 || dtype == Dtype::q4_0,
                    "GGUF files are written as F32, F16, Q8_0 or Q4_0");
    Exporter exporter(model, dtype);
    ROOTSTOCK_CHECKED(exporter.gather());
    ROOTSTOCK_TRY(vocabulary, gguf_vocabulary(side_files, model.config, exporter.rows));
    exporter.values.merge(vocabulary);
    ROOTSTOCK_CHECKED(write_gguf(path, exporter.values, exporter.tensors));
    return std::move(exporter.left_out);
}

}  // namespace rootstock
