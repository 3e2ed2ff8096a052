#pragma once
// What the families' readers of config.json share.

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/base.h"
#include "model/spec/spec.h"

namespace rootstock {

class ConfigReader {
public:
    ConfigReader(const json::value& config, std::string_view what, const char* family);

    TransformerSpec spec;
    JsonFields fields;

    int size(const char* key, int fallback, int most);   // 1 .. most
    int count(const char* key, int fallback, int most);  // 0 .. most
    double share(const char* key, double fallback);      // a dropout

    // Sets `activation` from a name such as "gelu_new"; one we do not run is remembered as refused.
    void activation(const char* key, const std::string& name, Activation& activation);
    void unsupported(const char* key, const std::string& value);  // the first one is what finish() says
    void refuse_true(std::initializer_list<const char*> keys);

    // width, heads, key_value_heads and head_width by the usual rule.
    void split_heads(const char* width_key, const char* heads_key);

    // The head that `architectures` names; `otherwise` when it is absent; none for other names. Classes from id2label
    // or num_labels.
    void head(HeadKind otherwise);
    bool architecture_ends(std::string_view ending) const;

    // rope_parameters (v5) or rope_theta and rope_scaling (v4).
    void rotary(double theta, int positions);

    // eos_token_id: a number, a list or null
    void end_ids(int fallback);

    Result<TransformerSpec> finish();

private:
    int classes();
    void scaling(const json::object& object, int positions);
    double positive(const json::object& object, const char* key, double fallback);

    const json::value& config_;
    std::string what_;
    std::string architecture_;
    std::string refused_key_, refused_value_;
};

}  // namespace rootstock
