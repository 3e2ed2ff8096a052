#include "model/families/family.h"

namespace rootstock {

namespace {

constexpr const Family* kFamilies[] = {&bert_family, &roberta_family, &xlm_roberta_family, &distilbert_family,
                                       &gpt2_family, &llama_family,   &mistral_family,     &qwen2_family,
                                       &t5_family,   &mt5_family,     &vit_family,         &deit_family,
                                       &table_family};

}

Result<const Family*> find_family(std::string_view model_type) {
    std::string known;
    for (const auto* family : kFamilies) {
        if (model_type == family->name) return family;
        known += (known.empty() ? "" : ", ") + std::string(family->name);
    }
    return fail(ErrorCode::unsupported,
                "model_type \"" + std::string(model_type) + "\" is not supported; this build runs: " + known,
                "model_type");
}

const Family& family_of(const TransformerSpec& spec) {
    const auto family = find_family(spec.family);
    ROOTSTOCK_CHECK(family.has_value(), "a spec comes from a family");
    return (*family)->plain && spec.mlp == Mlp::plain ? *(*family)->plain : **family;
}

}  // namespace rootstock
