// The schema as JSON:
//   {"format": "rootstock-table-1", "missing": [...],
//    "columns": [{"name", "role", "reason", "note"?, "scaling"?, "order"?, "categories"?}, ...],
//    "label": null | {"name", "kind": "classes", "classes"} | {"name", "kind": "number", "scaling"}}
//   scaling: {"kind": "none"} | {"kind": "standard", "mean", "deviation"} | {"kind": "quantile", "quantiles": [...]}
// The numbers of a scaling stand as text, in their shortest form that reads back to the same bits: JSON libraries
// agree on whole numbers, but not on the last bit of fractions.

#include <algorithm>
#include <set>

#include "data/table/cells.h"

namespace rootstock {
namespace {

constexpr std::string_view format_name = "rootstock-table-1";
constexpr std::size_t schema_bytes_max = std::size_t{256} << 20;

// ---- writing

json::string number_text(double value) { return json::string(fmt::format("{}", value)); }

json::array texts(const std::vector<std::string>& items) {
    json::array array;
    for (const auto& item : items) array.emplace_back(json::string(item));
    return array;
}

json::object scaling_json(const NumberScaling& scaling) {
    json::object object;
    object["kind"] = scaling.kind == NumberScaling::Kind::none       ? "none"
                     : scaling.kind == NumberScaling::Kind::standard ? "standard"
                                                                     : "quantile";
    if (scaling.kind == NumberScaling::Kind::standard) {
        object["mean"] = number_text(scaling.mean);
        object["deviation"] = number_text(scaling.deviation);
    }
    if (scaling.kind == NumberScaling::Kind::quantile) {
        json::array quantiles;
        for (double quantile : scaling.quantiles) quantiles.emplace_back(number_text(quantile));
        object["quantiles"] = std::move(quantiles);
    }
    return object;
}

json::object column_json(const TableColumn& column) {
    json::object object{{"name", column.name}, {"role", name(column.role)}, {"reason", column.reason}};
    if (!column.note.empty()) object["note"] = column.note;
    if (column.role == ColumnRole::date)
        object["order"] = column.order == DateOrder::day_first ? "day_first" : "month_first";
    if (column.role == ColumnRole::date || column.role == ColumnRole::numeric)
        object["scaling"] = scaling_json(column.scaling);
    if (column.role == ColumnRole::categorical) object["categories"] = texts(column.categories);
    return object;
}

json::value label_json(const TableLabel& label) {
    if (label.kind == LabelKind::none) return nullptr;
    if (label.kind == LabelKind::classes)
        return json::object{{"name", label.name}, {"kind", "classes"}, {"classes", texts(label.classes)}};
    return json::object{{"name", label.name}, {"kind", "number"}, {"scaling", scaling_json(label.scaling)}};
}

// ---- reading

double read_number(JsonFields& fields, std::string_view key) {
    auto value = parse_number(fields.required_string(key));
    if (!value) fields.fault(key, "must be a finite number, written as text");
    return value.value_or(0);
}

std::vector<double> read_quantiles(JsonFields& fields) {
    std::vector<double> quantiles;
    for (const auto& text : fields.optional_strings("quantiles")) {
        auto value = parse_number(text);
        if (!value || (!quantiles.empty() && *value < quantiles.back())) {
            fields.fault("quantiles", "must be finite numbers in ascending order, written as text");
            return {};
        }
        quantiles.push_back(*value);
    }
    if (quantiles.empty()) fields.fault("quantiles", "must hold at least one number");
    return quantiles;
}

Result<NumberScaling> read_scaling(const json::value* value, const std::string& what) {
    if (!value) return NumberScaling{};  // its absence is a fault already
    JsonFields fields(*value, what);
    NumberScaling scaling;
    auto kind = fields.required_string("kind");
    if (kind == "standard") {
        scaling.kind = NumberScaling::Kind::standard;
        scaling.mean = read_number(fields, "mean");
        scaling.deviation = read_number(fields, "deviation");
        if (!(scaling.deviation > 0)) fields.fault("deviation", "must be above 0");
    } else if (kind == "quantile") {
        scaling.kind = NumberScaling::Kind::quantile;
        scaling.quantiles = read_quantiles(fields);
    } else if (kind != "none") {
        fields.fault("kind", "must be none, standard or quantile");
    }
    ROOTSTOCK_CHECKED(fields.finish());
    return scaling;
}

// A list without repeats, of texts that a trimmed cell can hold.
std::vector<std::string> read_names(JsonFields& fields, std::string_view key, std::size_t least) {
    auto names = fields.optional_strings(key);
    std::set<std::string_view> seen;
    for (const auto& one : names)
        if (one.empty() || !seen.insert(one).second) fields.fault(key, "must hold different, non-empty texts");
    if (names.size() < least) fields.fault(key, fmt::format("must hold at least {} texts", least));
    if (names.size() > 1'000'000) fields.fault(key, "must hold at most 1,000,000 texts");
    return names;
}

ColumnRole read_role(JsonFields& fields) {
    auto text = fields.required_string("role");
    for (auto role : {ColumnRole::numeric, ColumnRole::categorical, ColumnRole::date, ColumnRole::left_out})
        if (text == name(role)) return role;
    fields.fault("role", "must be numeric, categorical, date or left_out");
    return ColumnRole::left_out;
}

Result<TableColumn> read_column(const json::value& value, const std::string& what) {
    JsonFields fields(value, what);
    TableColumn column;
    column.name = fields.required_string("name");
    column.role = read_role(fields);
    column.reason = fields.required_string("reason");
    column.note = fields.optional_string("note", "");
    if (column.name.empty()) fields.fault("name", "must not be empty");
    if (column.role == ColumnRole::date) {
        auto order = fields.required_string("order");
        if (order != "day_first" && order != "month_first") fields.fault("order", "must be day_first or month_first");
        column.order = order == "month_first" ? DateOrder::month_first : DateOrder::day_first;
    }
    if (column.role == ColumnRole::date || column.role == ColumnRole::numeric) {
        ROOTSTOCK_TRY(scaling, read_scaling(fields.required_value("scaling"), what + ", scaling"));
        column.scaling = std::move(scaling);
    }
    if (column.role == ColumnRole::categorical) column.categories = read_names(fields, "categories", 1);
    ROOTSTOCK_CHECKED(fields.finish());
    return column;
}

Result<TableLabel> read_label(const json::value* value, const std::string& what) {
    if (!value || value->is_null()) return TableLabel{};
    JsonFields fields(*value, what);
    TableLabel label;
    label.name = fields.required_string("name");
    auto kind = fields.required_string("kind");
    if (kind == "classes") {
        label.kind = LabelKind::classes;
        label.classes = read_names(fields, "classes", 2);
    } else if (kind == "number") {
        label.kind = LabelKind::number;
        ROOTSTOCK_TRY(scaling, read_scaling(fields.required_value("scaling"), what + ", scaling"));
        label.scaling = std::move(scaling);
    } else {
        fields.fault("kind", "must be classes or number");
    }
    ROOTSTOCK_CHECKED(fields.finish());
    return label;
}

Result<std::vector<TableColumn>> read_columns(const json::value* value, const TableLabel& label,
                                              const std::string& what) {
    std::vector<TableColumn> columns;
    const auto* list = value ? value->if_array() : nullptr;
    auto wrong = [&](const std::string& sentence) {
        return fail(ErrorCode::invalid_argument, what + ": 'columns' " + sentence, "columns");
    };
    if (!list || list->empty() || list->size() > table_columns_max)
        return wrong(fmt::format("must be a list of 1 to {} columns", table_columns_max));
    std::set<std::string> names{label.name};
    for (const auto& item : *list) {
        ROOTSTOCK_TRY(column, read_column(item, fmt::format("{}, column {}", what, columns.size() + 1)));
        if (!names.insert(column.name).second) return wrong("names '" + column.name + "' twice");
        columns.push_back(std::move(column));
    }
    return columns;
}

}  // namespace

std::string table_schema_json(const TableSchema& schema) {
    json::array columns;
    for (const auto& column : schema.columns) columns.emplace_back(column_json(column));
    return json::serialize(json::object{{"format", format_name},
                                        {"missing", texts(schema.missing)},
                                        {"columns", std::move(columns)},
                                        {"label", label_json(schema.label)}});
}

Result<TableSchema> parse_table_schema(std::string_view text, std::string_view what) {
    if (text.size() > schema_bytes_max)
        return fail(ErrorCode::too_large,
                    fmt::format("{} has more than {} bytes", what, format_count(schema_bytes_max)));
    ROOTSTOCK_TRY(value, parse_json(text, what, {.depth_max = 8}));
    JsonFields fields(value, what);
    if (fields.required_string("format") != format_name)
        fields.fault("format", fmt::format("must be '{}'", format_name));
    TableSchema schema;
    fields.required_value("missing");
    schema.missing = fields.optional_strings("missing");
    const auto* columns_value = fields.required_value("columns");
    const auto* label_value = fields.required_value("label");
    ROOTSTOCK_CHECKED(fields.finish());
    std::string source(what);
    ROOTSTOCK_TRY(label, read_label(label_value, source + ", label"));
    ROOTSTOCK_TRY(columns, read_columns(columns_value, label, source));
    schema.label = std::move(label);
    schema.columns = std::move(columns);
    return schema;
}

Result<TableSchema> read_table_schema(const std::filesystem::path& folder) {
    const auto path = folder / table_schema_file;
    ROOTSTOCK_TRY(text, read_file(path, schema_bytes_max));
    return parse_table_schema(text, path.string());
}

}  // namespace rootstock
