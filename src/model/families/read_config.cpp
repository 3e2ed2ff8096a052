#include "model/families/read_config.h"

#include <cmath>

namespace rootstock {

ConfigReader::ConfigReader(const json::value& config, std::string_view what, const char* family)
    : fields(config, what), config_(config), what_(what) {
    fields.ignore_others();
    spec.family = family;
    const auto names = fields.optional_strings("architectures");
    if (!names.empty()) architecture_ = names.front();
}

int ConfigReader::size(const char* key, int fallback, int most) {
    return static_cast<int>(fields.optional_int(key, fallback, 1, most));
}

int ConfigReader::count(const char* key, int fallback, int most) {
    return static_cast<int>(fields.optional_int(key, fallback, 0, most));
}

double ConfigReader::share(const char* key, double fallback) { return fields.optional_number(key, fallback, 0, 0.999); }

void ConfigReader::activation(const char* key, const std::string& name, Activation& activation) {
    struct Known {
        const char* name;
        Activation activation;
    };
    constexpr Known kKnown[] = {{"gelu", Activation::gelu_erf},
                                {"gelu_python", Activation::gelu_erf},
                                {"gelu_new", Activation::gelu_tanh},
                                {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                {"gelu_fast", Activation::gelu_tanh},
                                {"gelu_accurate", Activation::gelu_tanh},
                                {"quick_gelu", Activation::gelu_quick},
                                {"relu", Activation::relu},
                                {"silu", Activation::silu},
                                {"swish", Activation::silu},
                                {"tanh", Activation::tanh}};
    for (const auto& known : kKnown)
        if (name == known.name) {
            activation = known.activation;
            return;
        }
    unsupported(key, name);
}

void ConfigReader::unsupported(const char* key, const std::string& value) {
    if (refused_key_.empty()) refused_key_ = key, refused_value_ = value;
}

void ConfigReader::refuse_true(std::initializer_list<const char*> keys) {
    for (const char* key : keys)
        if (fields.optional_bool(key, false)) unsupported(key, "true");
}

void ConfigReader::split_heads(const char* width_key, const char* heads_key) {
    if (spec.key_value_heads == 0) spec.key_value_heads = spec.heads;
    if (spec.head_width == 0) {
        if (spec.width % spec.heads != 0)
            fields.fault(width_key, std::string("must be a multiple of ") + heads_key);
        else
            spec.head_width = spec.width / spec.heads;
    }
    if (spec.heads % spec.key_value_heads != 0)
        fields.fault("num_key_value_heads", std::string("must divide ") + heads_key);
    if (spec.score_scale == 0 && spec.head_width > 0) spec.score_scale = 1 / std::sqrt(spec.head_width);
}

bool ConfigReader::architecture_ends(std::string_view ending) const { return architecture_.ends_with(ending); }

// As many as id2label names; 0: as the tensors say.
int ConfigReader::classes() {
    if (const auto* labels = fields.optional_value("id2label"); labels && labels->is_object())
        return static_cast<int>(labels->as_object().size());
    return count("num_labels", 0, 1 << 20);
}

void ConfigReader::head(HeadKind otherwise) {
    struct Known {
        const char* ending;
        HeadKind kind;
    };
    constexpr Known kKnown[] = {{"ForSequenceClassification", HeadKind::sequence},
                                {"ForImageClassification", HeadKind::sequence},
                                {"ForImageClassificationWithTeacher", HeadKind::sequence},
                                {"ForTokenClassification", HeadKind::token},
                                {"ForQuestionAnswering", HeadKind::span},
                                {"ForMaskedLM", HeadKind::masked_lm},
                                {"ForPreTraining", HeadKind::masked_lm},
                                {"ForCausalLM", HeadKind::causal_lm},
                                {"LMHeadModel", HeadKind::causal_lm},
                                {"ForConditionalGeneration", HeadKind::causal_lm}};
    spec.head.kind = architecture_.empty() ? otherwise : HeadKind::none;
    for (const auto& known : kKnown)
        if (architecture_ends(known.ending)) spec.head.kind = known.kind;
    if (spec.head.kind == HeadKind::span)
        spec.head.classes = 2;
    else if (spec.head.kind == HeadKind::sequence || spec.head.kind == HeadKind::token)
        spec.head.classes = classes();
}

double ConfigReader::positive(const json::object& object, const char* key, double fallback) {
    const auto* value = object.if_contains(key);
    if (!value || value->is_null()) return fallback;
    if (!value->is_number() || !(value->to_number<double>() > 0) || value->to_number<double>() > 1e12) {
        fields.fault(key, "must be a number above 0");
        return fallback;
    }
    return value->to_number<double>();
}

void ConfigReader::scaling(const json::object& object, int positions) {
    const auto word = [&](const char* key) {
        const auto* value = object.if_contains(key);
        return value && value->is_string() ? std::string(value->as_string()) : std::string();
    };
    auto& rotary = spec.rotary;
    auto type = word("rope_type");
    if (type.empty()) type = word("type");
    rotary.factor = positive(object, "factor", 1);
    if (type.empty() || type == "default") {
        rotary.factor = 1;
        return;
    }
    if (type == "linear")
        rotary.scaling = RotaryScaling::linear;
    else if (type == "dynamic")
        rotary.scaling = RotaryScaling::dynamic;
    else if (type == "yarn")
        rotary.scaling = RotaryScaling::yarn;
    else if (type == "llama3")
        rotary.scaling = RotaryScaling::llama3;
    else
        return unsupported("rope_scaling", type);
    const auto original = positive(object, "original_max_position_embeddings", 0);
    if (original > 0 && original < 1 << 24 && type != "dynamic" && type != "linear")
        rotary.original = static_cast<int>(original);
    if (type == "llama3") {
        rotary.low = positive(object, "low_freq_factor", 1);
        rotary.high = positive(object, "high_freq_factor", 4);
        if (rotary.high <= rotary.low) fields.fault("high_freq_factor", "must be above low_freq_factor");
        return;
    }
    if (type == "yarn") {
        if (object.contains("mscale") || object.contains("mscale_all_dim")) unsupported("rope_scaling", "yarn mscale");
        rotary.low = positive(object, "beta_slow", 1);
        rotary.high = positive(object, "beta_fast", 32);
        rotary.size = positive(object, "attention_factor", rotary.factor > 1 ? 0.1 * std::log(rotary.factor) + 1 : 1);
    }
    // Files give the length before scaling; with yarn some give the length after it.
    const double stretched = std::max<double>(positions, std::ceil(rotary.original * rotary.factor));
    spec.positions_max = static_cast<int>(std::min(stretched, static_cast<double>(1 << 24)));
}

void ConfigReader::rotary(double theta, int positions) {
    auto& rotary = spec.rotary;
    spec.positions = Positions::rotary;
    spec.positions_max = rotary.original = positions;
    rotary.theta = fields.optional_number("rope_theta", theta, 1, 1e12);
    double part = fields.optional_number("partial_rotary_factor", 1, 0, 1);
    const auto* parameters = fields.optional_value("rope_parameters");
    const auto* scaling_of = fields.optional_value("rope_scaling");
    for (const auto* value : {parameters, scaling_of}) {
        if (!value || value->is_null()) continue;
        if (!value->is_object()) {
            fields.fault(value == parameters ? "rope_parameters" : "rope_scaling", "must be an object");
            break;
        }
        rotary.theta = positive(value->as_object(), "rope_theta", rotary.theta);
        part = std::min(1.0, positive(value->as_object(), "partial_rotary_factor", part));
        scaling(value->as_object(), positions);
        break;
    }
    rotary.width = static_cast<int>(spec.head_width * part);
    if (rotary.width < 2 || rotary.width % 2 != 0)
        fields.fault("head_dim", "must give an even number of rotated places");
    if (rotary.scaling == RotaryScaling::dynamic && rotary.width < 4)
        fields.fault("head_dim", "must give at least four rotated places");
}

void ConfigReader::end_ids(int fallback) {
    const auto* value = fields.optional_value("eos_token_id");
    if (!value) {
        if (fallback >= 0) spec.end_ids = {fallback};
        return;
    }
    const auto add = [&](const json::value& id) {
        if (!id.is_int64() || id.as_int64() < 0 || id.as_int64() >= 1 << 24)
            fields.fault("eos_token_id", "must be a token id or a list of them");
        else
            spec.end_ids.push_back(static_cast<int>(id.as_int64()));
    };
    if (value->is_array())
        for (const auto& id : value->as_array()) add(id);
    else if (!value->is_null())
        add(*value);
}

Result<TransformerSpec> ConfigReader::finish() {
    ROOTSTOCK_CHECKED(fields.finish());  // a field of the wrong type is the better sentence
    if (!refused_key_.empty())
        return fail(ErrorCode::unsupported,
                    what_ + ": " + refused_key_ + " \"" + refused_value_ + "\" is not supported", refused_key_);
    return std::move(spec);
}

}  // namespace rootstock
