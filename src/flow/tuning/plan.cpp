#include "flow/tuning/plan.h"

namespace rootstock {

json::value to_json(const TuningPlan& plan) {
    json::object object{{"task", plan.task},
                        {"name", plan.name},
                        {"owner", plan.owner.text()},
                        {"base_digest", plan.base_digest},
                        {"base_name", plan.base_name},
                        {"base_folder", plan.base_folder},
                        {"data_source", plan.data_source},
                        {"dataset_digest", plan.dataset_digest},
                        {"eval_source", plan.eval_source},
                        {"eval_digest", plan.eval_digest},
                        {"text_column", plan.text_column},
                        {"label_column", plan.label_column},
                        {"rows", plan.rows},
                        {"kept_aside", plan.kept_aside},
                        {"eval_kept_aside", plan.eval_kept_aside},
                        {"lora", to_json(plan.lora)},
                        {"train", to_json(plan.train)}};
    if (plan.task == "table") object["table"] = to_json(plan.table);
    return object;
}

Result<TuningPlan> tuning_plan_from_json(const json::value& value) {
    JsonFields fields(value, "the job's settings");
    TuningPlan plan;
    plan.task = fields.required_string("task");
    plan.name = fields.required_string("name");
    plan.owner = TenantId(fields.required_string("owner"));
    plan.base_digest = fields.required_string("base_digest");
    plan.base_name = fields.required_string("base_name");
    plan.base_folder = fields.required_string("base_folder");
    plan.data_source = fields.required_string("data_source");
    plan.dataset_digest = fields.required_string("dataset_digest");
    plan.eval_source = fields.required_string("eval_source");
    plan.eval_digest = fields.required_string("eval_digest");
    plan.text_column = fields.required_string("text_column");
    plan.label_column = fields.required_string("label_column");
    plan.rows = fields.required_int("rows", 0, INT64_MAX);
    plan.kept_aside = fields.required_int("kept_aside", 0, INT64_MAX);
    plan.eval_kept_aside = fields.required_int("eval_kept_aside", 0, INT64_MAX);
    const auto* lora = fields.required_value("lora");
    const auto* train = fields.required_value("train");
    const auto* table = fields.optional_value("table");
    ROOTSTOCK_CHECKED(fields.finish());
    ROOTSTOCK_TRY(lora_settings, lora_settings_from_json(*lora));
    ROOTSTOCK_TRY(train_settings, train_settings_from_json(*train));
    plan.lora = lora_settings;
    plan.train = train_settings;
    if (!table) return plan;
    ROOTSTOCK_TRY(table_settings, table_settings_from_json(*table));
    plan.table = table_settings;
    return plan;
}

}  // namespace rootstock
