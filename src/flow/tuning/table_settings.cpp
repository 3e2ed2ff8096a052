#include "flow/tuning/table_settings.h"

#include <algorithm>

namespace rootstock {

json::value to_json(const TableSettings& settings) {
    return json::object{{"blocks", settings.blocks},
                        {"width", settings.width},
                        {"heads", settings.heads},
                        {"inner", settings.inner},
                        {"attention_dropout", settings.attention_dropout},
                        {"inner_dropout", settings.inner_dropout},
                        {"hidden_dropout", settings.hidden_dropout},
                        {"balanced_classes", settings.balanced_classes}};
}

Result<TableSettings> table_settings_from_json(const json::value& value) {
    JsonFields fields(value, "the table model's settings");
    TableSettings s;
    s.blocks = static_cast<int>(fields.optional_int("blocks", s.blocks, 1, 64));
    s.width = static_cast<int>(fields.optional_int("width", s.width, 2, 4096));
    s.heads = static_cast<int>(fields.optional_int("heads", s.heads, 1, 256));
    s.inner = fields.optional_number("inner", s.inner, 0.01, 64);
    s.attention_dropout = fields.optional_number("attention_dropout", s.attention_dropout, 0, 0.95);
    s.inner_dropout = fields.optional_number("inner_dropout", s.inner_dropout, 0, 0.95);
    s.hidden_dropout = fields.optional_number("hidden_dropout", s.hidden_dropout, 0, 0.95);
    s.balanced_classes = fields.optional_bool("balanced_classes", s.balanced_classes);
    if (s.width % s.heads != 0) fields.fault("width", "must be a multiple of heads");
    ROOTSTOCK_CHECKED(fields.finish());
    return s;
}

json::object table_config(const TableSettings& settings, const TableSchema& schema, bool missing) {
    json::array cardinalities;
    for (const auto count : schema.category_counts()) cardinalities.emplace_back(count);
    const auto outputs = schema.label.kind == LabelKind::classes ? schema.label.classes.size() : std::size_t{1};
    return {{"model_type", "ft-transformer"},
            {"architectures", json::array{"FTTransformer"}},
            {"n_cont_features", schema.numeric_names().size()},
            {"cat_cardinalities", std::move(cardinalities)},
            {"n_blocks", settings.blocks},
            {"d_block", settings.width},
            {"attention_n_heads", settings.heads},
            {"attention_dropout", settings.attention_dropout},
            {"ffn_d_hidden", std::max(1, static_cast<int>(settings.inner * settings.width))},
            {"ffn_d_hidden_multiplier", nullptr},
            {"ffn_dropout", settings.inner_dropout},
            {"ffn_activation", "ReGLU"},
            {"residual_dropout", settings.hidden_dropout},
            {"missing_embeddings", missing},
            {"d_out", outputs},
            {"rootstock", json::object{{"task", "table"}, {"balanced_classes", settings.balanced_classes}}}};
}

}  // namespace rootstock
