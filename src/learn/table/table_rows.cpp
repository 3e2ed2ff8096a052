#include "learn/table/table_rows.h"

#include <algorithm>

namespace rootstock {

namespace {

Result<EncodedTable> encode_file(const std::filesystem::path& path, const TableSchema& schema) {
    ROOTSTOCK_TRY(rows, read_table_rows(path));
    ROOTSTOCK_TRY(encoded, encode_table(schema, rows, all_rows(rows), LabelUse::require));
    return encoded;
}

Result<void> check_label(const JobSpec& spec, const TableSchema& schema) {
    if (schema.label.kind == LabelKind::none)
        return fail(ErrorCode::invalid_argument, "columns.json names no label: there is nothing to learn", "label");
    if (spec.labels != schema.label.classes)
        return fail(ErrorCode::invalid_argument, "job.json: labels are not the classes of columns.json", "labels");
    return {};
}

Result<void> check_spec(const TransformerSpec& spec, const TableSchema& schema) {
    const auto classes = schema.label.kind == LabelKind::classes ? schema.label.classes.size() : std::size_t{1};
    if (spec.inputs == Inputs::columns && spec.head.kind == HeadKind::sequence &&
        schema.numeric_names().size() == static_cast<std::size_t>(spec.columns.numbers) &&
        std::ranges::equal(schema.category_counts(), spec.columns.categories) &&
        classes == static_cast<std::size_t>(spec.head.classes))
        return {};
    return fail(ErrorCode::invalid_argument, "config.json is not a table model for the columns of columns.json");
}

// config.json: the arguments of the model, and under "rootstock" how it is learned.
Result<void> read_config(const std::filesystem::path& path, TableJobRows& rows) {
    ROOTSTOCK_TRY(text, read_file(path, std::size_t{64} << 20));
    ROOTSTOCK_TRY(value, parse_json(text, path.string()));
    ROOTSTOCK_TRY(spec, spec_of_config(value, path.string()));
    ROOTSTOCK_CHECKED(check_spec(spec, rows.schema));
    rows.spec = std::move(spec);
    rows.config = value.as_object();
    if (const auto* ours = rows.config.if_contains("rootstock")) {
        JsonFields fields(*ours, path.string() + ", rootstock");
        fields.optional_string("task", "");
        rows.balanced = fields.optional_bool("balanced_classes", false);
        ROOTSTOCK_CHECKED(fields.finish());
    }
    return {};
}

}  // namespace

Result<TableJobRows> load_table_rows(Job& job) {
    TableJobRows rows;
    ROOTSTOCK_TRY(schema, read_table_schema(job.folder));
    ROOTSTOCK_CHECKED(check_label(job.spec, schema));
    rows.schema = schema;
    ROOTSTOCK_CHECKED(read_config(job.folder / "config.json", rows));
    ROOTSTOCK_TRY(train, encode_file(job.folder / "train.jsonl", schema));
    ROOTSTOCK_TRY(held_out, encode_file(job.folder / "valid.jsonl", schema));
    if (train.rows == 0) return fail(ErrorCode::invalid_argument, "train.jsonl has no rows: a job needs examples");
    for (const char* file : {table_schema_file, "config.json", "valid.jsonl"}) {
        ROOTSTOCK_TRY(digest, sha256_file(job.folder / file));
        job.digest = sha256_hex(job.digest + digest);
    }
    rows.train = std::move(train);
    rows.held_out = std::move(held_out);
    return rows;
}

}  // namespace rootstock
