// train.jsonl and problems.jsonl: one JSON object a line.

#include "data/dataset/dataset.h"
#include "data/reader/byte_source.h"
#include "data/reader/json_rows.h"

namespace rootstock {
namespace {

constexpr std::size_t line_bytes_max = std::size_t{8} << 20;  // a text of the largest row, escaped

Result<TextExample> read_example(const JsonRow& line, const std::string& where, std::int32_t classes) {
    if (!line.fault.empty()) return fail(ErrorCode::corrupt, where + ": " + line.fault);
    auto value = parse_json(line.text, where);
    if (!value) return fail(ErrorCode::corrupt, value.error().message);
    JsonFields fields(*value, where);
    TextExample example;
    example.text = fields.required_string("text");
    example.label = static_cast<std::int32_t>(fields.required_int("label", 0, classes - 1));
    example.row = fields.required_int("row", 1, INT64_MAX);
    if (auto finished = fields.finish(); !finished) return fail(ErrorCode::corrupt, finished.error().message);
    return example;
}

}  // namespace

Result<void> write_problems(const std::filesystem::path& path, std::span<const Problem> problems) {
    std::string lines;
    for (const auto& problem : problems)
        lines +=
            json::serialize(json::object{
                {"row", problem.row}, {"line", problem.line}, {"field", problem.field}, {"reason", problem.reason}}) +
            "\n";
    return write_file_atomically(path, lines);
}

Result<void> write_training_rows(const std::filesystem::path& path, std::span<const TextExample> examples) {
    std::string lines;
    for (const auto& example : examples)
        lines += json::serialize(json::object{{"text", example.text}, {"label", example.label}, {"row", example.row}}) +
                 "\n";
    return write_file_atomically(path, lines);
}

Result<std::vector<TextExample>> read_training_rows(const std::filesystem::path& path, std::int32_t classes) {
    ROOTSTOCK_TRY(source, ByteSource::open(path));
    std::vector<TextExample> examples;
    for (JsonRow line; read_json_line(source, line_bytes_max, line);) {
        auto where = fmt::format("{}, line {}", path.string(), line.line);
        ROOTSTOCK_TRY(example, read_example(line, where, classes));
        examples.push_back(std::move(example));
    }
    if (source.failed()) return fail(ErrorCode::io, "reading " + path.string() + " failed");
    return examples;
}

}  // namespace rootstock
