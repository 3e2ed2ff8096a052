// Vision transformers (Dosovitskiy et al., 2020; DeiT, Touvron et al., 2021) as transformers spells them: patches of
// pixels behind a class token (and a distillation token), norms before, attention both ways.

#include "model/families/family.h"
#include "model/families/read_config.h"

namespace rootstock {

namespace {

constexpr NameRow kBody[] = {{"embed.patches", "embeddings.patch_embeddings.projection"}, {"final_norm", "layernorm"}};

constexpr NameRow kLayer[] = {{"attention_norm", "layernorm_before"}, {"output_norm", "layernorm_after"},
                              {"query", "attention.attention.query"}, {"key", "attention.attention.key"},
                              {"value", "attention.attention.value"}, {"attention_output", "attention.output.dense"},
                              {"inner", "intermediate.dense"},        {"output", "output.dense"}};

constexpr NameRow kTensors[] = {{"embed.class.weight", "embeddings.cls_token"},
                                {"embed.distillation.weight", "embeddings.distillation_token"},
                                {"embed.positions.weight", "embeddings.position_embeddings"}};

constexpr NameRow kHead[] = {{"head.weight", "classifier.weight"},
                             {"head.weight", "cls_classifier.weight"},
                             {"head.bias", "classifier.bias"},
                             {"head.bias", "cls_classifier.bias"},
                             {"head.distillation.weight", "distillation_classifier.weight"},
                             {"head.distillation.bias", "distillation_classifier.bias"}};

constexpr FamilyNames kVitNames{"vit.", kBody, "encoder.layer.", kLayer, kTensors, kHead};
constexpr FamilyNames kDeitNames{"deit.", kBody, "encoder.layer.", kLayer, kTensors, kHead};

void read_patches(ConfigReader& config, bool distillation) {
    auto& patches = config.spec.patches;
    patches.image = config.size("image_size", 224, 1 << 14);
    patches.patch = config.size("patch_size", 16, 1 << 12);
    patches.channels = config.size("num_channels", 3, 1 << 8);
    patches.distillation = distillation;
    if (patches.image % patches.patch != 0) config.fields.fault("image_size", "must be a multiple of patch_size");
    config.spec.inputs = Inputs::patches;
    config.spec.positions_max = position_rows(config.spec);
}

Result<TransformerSpec> read_vit(const json::value& value, std::string_view what, const char* family,
                                 bool distillation) {
    ConfigReader config(value, what, family);
    auto& spec = config.spec;
    spec.width = config.size("hidden_size", 768, 1 << 16);
    spec.layers = config.size("num_hidden_layers", 12, 1 << 10);
    spec.heads = config.size("num_attention_heads", 12, 1 << 10);
    spec.inner = config.size("intermediate_size", 3072, 1 << 18);
    config.split_heads("hidden_size", "num_attention_heads");
    read_patches(config, distillation);
    spec.norm_place = NormPlace::before;
    spec.embedding_norm = false;
    spec.final_norm = true;
    spec.query_key_value_biases = config.fields.optional_bool("qkv_bias", true);
    spec.norm_eps = config.fields.optional_number("layer_norm_eps", 1e-12, 0, 1);
    spec.hidden_dropout = config.share("hidden_dropout_prob", 0);
    spec.attention_dropout = config.share("attention_probs_dropout_prob", 0);
    spec.initializer_range = config.fields.optional_number("initializer_range", 0.02, 0, 100);
    config.activation("hidden_act", config.fields.optional_string("hidden_act", "gelu"), spec.activation);
    config.head(HeadKind::none);
    if (config.architecture_ends("ForMaskedImageModeling"))
        config.unsupported("architectures", "ForMaskedImageModeling");
    spec.head.distillation = config.architecture_ends("WithTeacher");
    return config.finish();
}

Result<TransformerSpec> vit_spec(const json::value& value, std::string_view what) {
    return read_vit(value, what, vit_family.name, false);
}

Result<TransformerSpec> deit_spec(const json::value& value, std::string_view what) {
    return read_vit(value, what, deit_family.name, true);
}

}  // namespace

const Family vit_family{"vit", vit_spec, kVitNames, "vit.", "classifier"};
const Family deit_family{"deit", deit_spec, kDeitNames, "deit.", "classifier"};

}  // namespace rootstock
