#include "flow/export.h"

#include "catalog/catalog.h"
#include "data/data.h"
#include "flow/intake.h"
#include "flow/meant_adapter.h"
#include "model/model.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t adapter_file_max = std::size_t{4} << 30;

bool is_there(const fs::path& path) {
    std::error_code code;
    return fs::exists(path, code);
}

// ---- what is meant ----

// A path where there is one with a slash or of that name; the catalog's model otherwise.
Result<fs::path> base_path(store::Database& records, const Home& home, const std::string& name) {
    if (is_there(fs::path(name) / "config.json") || (name.ends_with(".gguf") && is_there(name))) return fs::path(name);
    ROOTSTOCK_TRY(base, find_base(records, home, name));
    return home.models() / base.folder;
}

// ---- the form asked for ----

std::unexpected<Error> wrong_dtype(const std::string& dtype, const std::string& choice) {
    return fail(ErrorCode::invalid_argument, "there is no --dtype `" + dtype + "` here; choose from " + choice,
                "dtype");
}

Result<ModelFormat> folder_format(const std::string& dtype, std::uint64_t shard_bytes_max) {
    ModelFormat format;
    format.shard_bytes_max = shard_bytes_max;
    if (dtype.empty() || dtype == "auto")
        format.keep_dtype = true;
    else if (dtype == "f16")
        format.dtype = Dtype::f16;
    else if (dtype == "bf16")
        format.dtype = Dtype::bf16;
    else if (dtype != "f32")
        return wrong_dtype(dtype, "auto, f32, f16 and bf16");
    return format;
}

Result<Dtype> gguf_dtype(const std::string& dtype) {
    if (dtype.empty() || dtype == "auto" || dtype == "f16") return Dtype::f16;
    if (dtype == "f32") return Dtype::f32;
    if (dtype == "q8_0") return Dtype::q8_0;
    if (dtype == "q4_0") return Dtype::q4_0;
    return wrong_dtype(dtype, "f16, f32, q8_0 and q4_0");
}

std::uint64_t bytes_of(const fs::path& path) {
    std::error_code code;
    if (!fs::is_directory(path, code)) return fs::file_size(path, code);
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(path, code)) bytes += entry.file_size(code);
    return bytes;
}

Result<Exported> write_model(const StoredModel& model, const fs::path& side_files_of, const MergeOrder& order,
                             bool as_gguf) {
    const fs::path output = fs::absolute(order.output).lexically_normal();
    if (is_there(output))
        return fail(ErrorCode::already_exists, output.string() + " is already there; choose another --output",
                    "output");
    ROOTSTOCK_TRY(side_files, read_side_files(side_files_of));
    Exported done{output, 0, {}};
    if (as_gguf) {
        ROOTSTOCK_TRY(dtype, gguf_dtype(order.dtype));
        ROOTSTOCK_TRY(left_out, write_gguf_model(model, side_files, output, dtype));
        done.left_out = std::move(left_out);
    } else {
        ROOTSTOCK_TRY(format, folder_format(order.dtype, order.shard_bytes_max));
        ROOTSTOCK_CHECKED(write_model_folder(model, side_files, output, format));
    }
    done.bytes = bytes_of(output);
    return done;
}

// An adapter's folder is a PEFT folder already: it is copied file by file, and read as peft would read it.
Result<Exported> copy_adapter(const fs::path& from, const std::string& output) {
    const fs::path to = fs::absolute(output).lexically_normal();
    ROOTSTOCK_CHECKED(publish_folder(to, [&](const fs::path& inside) -> Result<void> {
        std::error_code code;
        for (const auto& entry : fs::directory_iterator(from, code)) {
            if (!entry.is_regular_file(code)) continue;
            ROOTSTOCK_TRY(bytes, read_file(entry.path(), adapter_file_max));
            const auto copy = inside / entry.path().filename();
            ROOTSTOCK_CHECKED(write_file_atomically(copy, bytes));
            ROOTSTOCK_TRY(found, read_file(copy, adapter_file_max));
            if (found != bytes)
                return fail(ErrorCode::corrupt,
                            copy.string() + " reads back other than it was written; check the disk");
        }
        if (code) return fail(ErrorCode::io, "cannot list " + from.string() + ": " + code.message());
        ROOTSTOCK_CHECKED(read_peft_adapter(inside));
        return {};
    }));
    return Exported{to, bytes_of(to), {}};
}

// A base model, or the model that a table was learned with.
Result<fs::path> model_path(store::Database& records, const Home& home, const ExportOrder& order) {
    auto base = base_path(records, home, order.name);
    if (base || base.error().code != ErrorCode::not_found) return base;
    const auto meant = find_meant_adapter(records, home, order.name, order.tenant);
    if (!meant || !is_there(meant->folder / table_schema_file)) return base;
    return meant->folder;
}

}  // namespace

Result<Exported> merge_model(store::Database& records, const Home& home, const MergeOrder& order) {
    ROOTSTOCK_TRY(meant, find_meant_adapter(records, home, order.adapter, order.tenant));
    const auto base_name = order.base.empty() ? meant.base_digest : order.base;
    if (base_name.empty())
        return fail(ErrorCode::invalid_argument,
                    meant.folder.string() + " does not stand in the catalog; say which model it belongs to with --base",
                    "base");
    ROOTSTOCK_TRY(base, base_path(records, home, base_name));
    ROOTSTOCK_TRY(adapter, read_peft_adapter(meant.folder));
    ROOTSTOCK_TRY(stored, read_stored_model(base));
    const bool as_gguf = order.output.ends_with(".gguf"), as_base = order.dtype.empty() || order.dtype == "auto";
    const auto type = !as_gguf && as_base ? MergedType::as_base : MergedType::f32;
    ROOTSTOCK_TRY(merged, merged_model(std::move(stored), adapter, type));
    return write_model(merged, base, order, as_gguf);
}

Result<Exported> export_model(store::Database& records, const Home& home, const ExportOrder& order) {
    MergeOrder form{{}, order.name, order.output, order.dtype, order.tenant, order.shard_bytes_max};
    if (order.format == "merged") return merge_model(records, home, form);
    if (order.format == "peft") {
        ROOTSTOCK_TRY(meant, find_meant_adapter(records, home, order.name, order.tenant));
        return copy_adapter(meant.folder, order.output);
    }
    if (order.format != "hf" && order.format != "gguf")
        return fail(ErrorCode::invalid_argument,
                    "there is no format `" + order.format + "`; choose from hf, gguf, peft and merged", "format");
    ROOTSTOCK_TRY(path, model_path(records, home, order));
    ROOTSTOCK_TRY(model, read_stored_model(path));
    return write_model(model, path, form, order.format == "gguf");
}

}  // namespace rootstock
