// The key-values of a GGUF file as the config.json that transformers would have.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "model/files/gguf_model.h"

namespace rootstock {

namespace {

// Files hold fp32 where config.json has decimals: the shortest decimal that is this float is what people wrote.
double as_written(double value) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, static_cast<float>(value)).ptr;
    double written = value;
    std::from_chars(text, end, written);
    return written;
}

// The config is built fact by fact; the first missing one is the error.
class ConfigBuilder {
public:
    ConfigBuilder(const Gguf& gguf, std::string_view what) : gguf_(gguf), what_(what) {}
    Result<json::object> build();

private:
    std::unexpected<Error> corrupt(const std::string& sentence) const {
        return fail(ErrorCode::corrupt, what_ + " " + sentence + "; fetch it again, or convert the model anew");
    }
    std::unexpected<Error> unsupported(const std::string& sentence) const {
        return fail(ErrorCode::unsupported, what_ + " " + sentence);
    }
    std::string key(std::string_view name) const { return architecture_ + "." + std::string(name); }
    const HostTensor* tensor(std::string_view name) const {
        const auto place = gguf_.tensors.find(name);
        return place == gguf_.tensors.end() ? nullptr : &place->second;
    }
    // A count under `name` (or the same number for every layer), between 1 and 2^31.
    Result<std::int64_t> count(std::string_view name) const;
    Result<void> put_count(const char* field, std::string_view name);
    Result<void> put_epsilon(const char* field, std::string_view name);
    Result<void> put_vocabulary();
    void put_tokens();
    void put_tied();
    Result<void> refuse_foreign() const;
    Result<void> build_llama();
    Result<void> put_rope();
    Result<json::value> rope_scaling(double theta, std::int64_t head_width) const;
    Result<json::value> llama3_scaling(const HostTensor& factors, double theta, std::int64_t head_width) const;
    Result<void> build_gpt2();
    Result<void> build_bert();

    const Gguf& gguf_;
    std::string what_, architecture_;
    json::object config_;
};

Result<std::int64_t> ConfigBuilder::count(std::string_view name) const {
    auto number = gguf_.integer(key(name));
    if (!number) {
        const auto list = gguf_.integers(key(name));
        if (!list.empty() && std::ranges::any_of(list, [&](auto item) { return item != list.front(); }))
            return unsupported("gives every layer its own " + key(name) + ", which is not supported");
        if (!list.empty()) number = list.front();
    }
    if (!number) return corrupt("lacks the number " + key(name));
    if (*number < 1 || *number > std::int64_t{1} << 31)
        return corrupt("gives " + std::to_string(*number) + " as " + key(name));
    return *number;
}

Result<void> ConfigBuilder::put_count(const char* field, std::string_view name) {
    ROOTSTOCK_TRY(number, count(name));
    config_[field] = number;
    return {};
}

Result<void> ConfigBuilder::put_epsilon(const char* field, std::string_view name) {
    const auto number = gguf_.number(key(name));
    if (!number || !(*number >= 0) || *number > 1) return corrupt("lacks the number " + key(name));
    config_[field] = as_written(*number);
    return {};
}

// The table's rows say how many tokens there are; a vocabulary alone (a file without tensors) says it by its list.
Result<void> ConfigBuilder::put_vocabulary() {
    const auto* table = tensor("token_embd.weight");
    const auto* tokens = gguf_.texts("tokenizer.ggml.tokens");
    if (table && table->shape.size() == 2)
        config_["vocab_size"] = table->shape[0];
    else if (tokens)
        config_["vocab_size"] = static_cast<std::int64_t>(tokens->size());
    else
        return corrupt("has neither token_embd.weight nor a vocabulary");
    return {};
}

void ConfigBuilder::put_tokens() {
    const std::pair<const char*, const char*> kTokens[] = {{"bos_token_id", "tokenizer.ggml.bos_token_id"},
                                                           {"eos_token_id", "tokenizer.ggml.eos_token_id"},
                                                           {"pad_token_id", "tokenizer.ggml.padding_token_id"}};
    for (const auto& [field, name] : kTokens)
        if (const auto id = gguf_.integer(name); id && *id >= 0) config_[field] = *id;
}

// One table serves both ends when the file has no "output", or one with the very same bytes.
void ConfigBuilder::put_tied() {
    const auto *output = tensor("output.weight"), *table = tensor("token_embd.weight");
    config_["tie_word_embeddings"] =
        !output || (table && output->dtype == table->dtype && std::ranges::equal(output->bytes, table->bytes));
}

Result<void> ConfigBuilder::refuse_foreign() const {
    if (const auto experts = gguf_.integer(key("expert_count")); experts && *experts > 0)
        return unsupported("is a mixture of experts, which is not supported");
    if (const auto parts = gguf_.integer("split.count"); parts && *parts > 1)
        return unsupported("is one of " + std::to_string(*parts) +
                           " parts; join them with llama.cpp's llama-gguf-split --merge");
    if (const auto* type = gguf_.text("general.type"); type && *type != "model")
        return unsupported("holds no model but an \"" + *type + "\"");
    return {};
}

// ---- llama and qwen2 ----

// Llama 3.1 keeps no parameters of its rope scaling but the divisor of each frequency. Three of the four parameters are
// the same in every such model; the fourth is the largest divisor. What they give must be what stands in the file.
Result<json::value> ConfigBuilder::llama3_scaling(const HostTensor& factors, double theta,
                                                  std::int64_t head_width) const {
    constexpr double kLow = 1, kHigh = 4, kOriginal = 8192;
    const auto divisors = to_floats(factors);
    const double factor = divisors.empty() ? 0 : static_cast<double>(std::ranges::max(divisors));
    bool fits = static_cast<std::int64_t>(divisors.size()) == head_width / 2;
    for (std::size_t i = 0; fits && i < divisors.size(); ++i) {
        const double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_width));
        const double wave = 2 * std::numbers::pi / frequency;
        const double smooth = std::clamp((kOriginal / wave - kLow) / (kHigh - kLow), 0.0, 1.0);
        const double expected = 1 / ((1 - smooth) / factor + smooth);
        fits = std::abs(static_cast<double>(divisors[i]) - expected) <= 1e-4 * expected;
    }
    if (!fits)
        return unsupported(
            "scales its rotary frequencies by factors of their own (rope_freqs.weight), not by those of "
            "Llama 3.1, which is not supported");
    return json::object{{"rope_type", "llama3"},
                        {"factor", as_written(factor)},
                        {"low_freq_factor", kLow},
                        {"high_freq_factor", kHigh},
                        {"original_max_position_embeddings", static_cast<std::int64_t>(kOriginal)}};
}

Result<json::value> ConfigBuilder::rope_scaling(double theta, std::int64_t head_width) const {
    if (const auto* factors = tensor("rope_freqs.weight")) {
        if (factors->dtype != Dtype::f32) return corrupt("has rope_freqs.weight in another type than F32");
        return llama3_scaling(*factors, theta, head_width);
    }
    const auto* type = gguf_.text(key("rope.scaling.type"));
    const auto factor = gguf_.number(key("rope.scaling.factor"));
    if (!type || *type == "none") return json::value(nullptr);
    if ((*type != "linear" && *type != "yarn") || !factor || !(*factor > 0))
        return unsupported("scales its rotary embeddings by \"" + *type + "\", which is not supported");
    json::object scaling{{"rope_type", *type}, {"factor", as_written(*factor)}};
    if (const auto original = gguf_.integer(key("rope.scaling.original_context_length")))
        scaling["original_max_position_embeddings"] = *original;
    return scaling;
}

Result<void> ConfigBuilder::put_rope() {
    const auto theta = as_written(gguf_.number(key("rope.freq_base")).value_or(10000));
    const auto head_width = config_["head_dim"].as_int64();
    if (const auto rotary = gguf_.integer(key("rope.dimension_count")); rotary && *rotary != head_width)
        return unsupported("rotates " + std::to_string(*rotary) + " of the " + std::to_string(head_width) +
                           " numbers of a head, which is not supported");
    ROOTSTOCK_TRY(scaling, rope_scaling(theta, head_width));
    config_["rope_theta"] = theta;
    config_["rope_scaling"] = scaling;
    json::object parameters = scaling.is_object() ? scaling.as_object() : json::object{{"rope_type", "default"}};
    parameters["rope_theta"] = theta;
    config_["rope_parameters"] = std::move(parameters);
    return {};
}

Result<void> ConfigBuilder::build_llama() {
    const bool qwen = architecture_ == "qwen2";
    config_["architectures"] = json::array{qwen ? "Qwen2ForCausalLM" : "LlamaForCausalLM"};
    ROOTSTOCK_CHECKED(put_count("hidden_size", "embedding_length"));
    ROOTSTOCK_CHECKED(put_count("num_hidden_layers", "block_count"));
    ROOTSTOCK_CHECKED(put_count("intermediate_size", "feed_forward_length"));
    ROOTSTOCK_CHECKED(put_count("num_attention_heads", "attention.head_count"));
    ROOTSTOCK_CHECKED(put_count("max_position_embeddings", "context_length"));
    ROOTSTOCK_CHECKED(put_epsilon("rms_norm_eps", "attention.layer_norm_rms_epsilon"));
    config_["num_key_value_heads"] = config_["num_attention_heads"];
    const bool grouped = gguf_.values.contains(key("attention.head_count_kv"));
    if (grouped) ROOTSTOCK_CHECKED(put_count("num_key_value_heads", "attention.head_count_kv"));
    const auto width = config_["hidden_size"].as_int64(), heads = config_["num_attention_heads"].as_int64();
    config_["head_dim"] = gguf_.integer(key("attention.key_length")).value_or(width / heads);
    config_["hidden_act"] = "silu";
    if (!qwen) {
        config_["attention_bias"] = tensor("blk.0.attn_q.bias") != nullptr;
        config_["mlp_bias"] = tensor("blk.0.ffn_gate.bias") != nullptr;
    }
    return put_rope();
}

// ---- gpt2 and bert ----

Result<void> ConfigBuilder::build_gpt2() {
    config_["architectures"] = json::array{"GPT2LMHeadModel"};
    ROOTSTOCK_CHECKED(put_count("n_embd", "embedding_length"));
    ROOTSTOCK_CHECKED(put_count("n_layer", "block_count"));
    ROOTSTOCK_CHECKED(put_count("n_head", "attention.head_count"));
    ROOTSTOCK_CHECKED(put_count("n_inner", "feed_forward_length"));
    ROOTSTOCK_CHECKED(put_count("n_positions", "context_length"));
    ROOTSTOCK_CHECKED(put_epsilon("layer_norm_epsilon", "attention.layer_norm_epsilon"));
    config_["activation_function"] = "gelu_new";
    return {};
}

Result<void> ConfigBuilder::build_bert() {
    config_["architectures"] = json::array{"BertModel"};
    ROOTSTOCK_CHECKED(put_count("hidden_size", "embedding_length"));
    ROOTSTOCK_CHECKED(put_count("num_hidden_layers", "block_count"));
    ROOTSTOCK_CHECKED(put_count("num_attention_heads", "attention.head_count"));
    ROOTSTOCK_CHECKED(put_count("intermediate_size", "feed_forward_length"));
    ROOTSTOCK_CHECKED(put_count("max_position_embeddings", "context_length"));
    ROOTSTOCK_CHECKED(put_epsilon("layer_norm_eps", "attention.layer_norm_epsilon"));
    const auto* types = tensor("token_types.weight");
    config_["type_vocab_size"] = types && types->shape.size() == 2 ? types->shape[0] : 2;
    config_["hidden_act"] = "gelu";
    config_["position_embedding_type"] = "absolute";
    return {};
}

Result<json::object> ConfigBuilder::build() {
    const auto* architecture = gguf_.text("general.architecture");
    if (!architecture) return corrupt("does not say its general.architecture");
    architecture_ = *architecture;
    ROOTSTOCK_CHECKED(refuse_foreign());
    config_["model_type"] = architecture_;
    if (architecture_ == "llama" || architecture_ == "qwen2")
        ROOTSTOCK_CHECKED(build_llama());
    else if (architecture_ == "gpt2")
        ROOTSTOCK_CHECKED(build_gpt2());
    else if (architecture_ == "bert")
        ROOTSTOCK_CHECKED(build_bert());
    else
        return unsupported("is of architecture \"" + architecture_ +
                           "\", which is not supported; llama, qwen2, gpt2 and bert are");
    ROOTSTOCK_CHECKED(put_vocabulary());
    put_tied();
    put_tokens();
    return std::move(config_);
}

}  // namespace

Result<json::object> gguf_config(const Gguf& gguf, std::string_view what) { return ConfigBuilder(gguf, what).build(); }

namespace {

// Heads of a tensor whose rows interleave: those of the queries, or of the keys.
std::int64_t heads_of(const json::object& config, std::string_view name) {
    const bool keys = name.find(".attn_k.") != std::string_view::npos;
    return config.at(keys ? "num_key_value_heads" : "num_attention_heads").to_number<std::int64_t>();
}

Result<HostTensor> in_our_layout(const json::object& config, std::string_view architecture, const std::string& name,
                                 const HostTensor& tensor, std::string_view what) {
    const auto layout = gguf_layout(architecture, name);
    if (layout == GgufLayout::same) return tensor;
    const auto misfit = [&] {
        return fail(ErrorCode::corrupt, std::string(what) + " has tensor \"" + name + "\" in shape " +
                                            shape_text(tensor.shape) +
                                            ", which does not fit its heads; fetch it again");
    };
    if (layout == GgufLayout::transposed) {
        if (tensor.shape.size() != 2) return misfit();
        return transposed(tensor);
    }
    const auto heads = heads_of(config, name);
    if (tensor.shape.empty() || tensor.shape.front() % (2 * heads) != 0) return misfit();
    if (tensor.shape.size() == 1 && is_blocks(tensor.dtype)) return misfit();
    return separated_rows(tensor, heads);
}

}  // namespace

Result<std::map<std::string, HostTensor>> gguf_tensors(const Gguf& gguf, std::string_view what) {
    ROOTSTOCK_TRY(config, gguf_config(gguf, what));
    const std::string architecture(config.at("model_type").as_string());
    const bool tied = config.at("tie_word_embeddings").as_bool();
    std::map<std::string, HostTensor> tensors;
    for (const auto& [name, tensor] : gguf.tensors) {
        if (name == "rope_freqs.weight" || (tied && name == "output.weight")) continue;  // both stand in the config
        const auto theirs = hugging_face_name(architecture, name);
        if (theirs.empty() || !is_weight(tensor.dtype))
            return fail(ErrorCode::unsupported, std::string(what) + " has the tensor \"" + name + "\" (" +
                                                    rootstock::name(tensor.dtype) + "), which has no place in a " +
                                                    architecture + " model");
        ROOTSTOCK_TRY(ours, in_our_layout(config, architecture, name, tensor, what));
        tensors.emplace(theirs, std::move(ours));
    }
    return tensors;
}

Result<GgufModel> read_gguf_model(const std::filesystem::path& path) {
    ROOTSTOCK_TRY(gguf, read_gguf(path));
    ROOTSTOCK_TRY(config, gguf_config(gguf, path.string()));
    ROOTSTOCK_TRY(tensors, gguf_tensors(gguf, path.string()));
    ROOTSTOCK_TRY(tokenizer, gguf_tokenizer_json(gguf, path.string()));
    return GgufModel{std::move(config), std::move(tensors), std::move(tokenizer), gguf_tokenizer_config(gguf),
                     gguf.file};
}

}  // namespace rootstock
