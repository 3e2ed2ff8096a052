#include "learn/table/table_rows.h"

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

}  // namespace

Result<TableJobRows> load_table_rows(Job& job) {
    TableJobRows rows;
    ROOTSTOCK_TRY(schema, read_table_schema(job.folder));
    ROOTSTOCK_CHECKED(check_label(job.spec, schema));
    ROOTSTOCK_TRY(train, encode_file(job.folder / "train.jsonl", schema));
    ROOTSTOCK_TRY(held_out, encode_file(job.folder / "valid.jsonl", schema));
    if (train.rows == 0) return fail(ErrorCode::invalid_argument, "train.jsonl has no rows: a job needs examples");
    for (const char* file : {table_schema_file, "valid.jsonl"}) {
        ROOTSTOCK_TRY(digest, sha256_file(job.folder / file));
        job.digest = sha256_hex(job.digest + digest);
    }
    rows.schema = std::move(schema);
    rows.train = std::move(train);
    rows.held_out = std::move(held_out);
    return rows;
}

}  // namespace rootstock
