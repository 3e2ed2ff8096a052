#include "data/dataset/chat_dataset.h"

#include "data/reader/byte_source.h"
#include "data/reader/json_rows.h"

namespace rootstock {
namespace {

Result<void> check_usable(const std::filesystem::path& path, const ChatDataset& dataset) {
    if (dataset.rows == 0) return fail(ErrorCode::invalid_argument, path.string() + " has no rows", "data");
    if (!dataset.examples.empty()) return {};
    const auto& first = dataset.problems.front();
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: none of its {} rows can be used; the first is row {} (line {}){}: {}", path.string(),
                            format_count(static_cast<std::uint64_t>(dataset.rows)), first.row, first.line,
                            first.field.empty() ? "" : ", " + first.field, first.reason),
                "data");
}

void add_row(const JsonRow& line, const ChatReadOptions& options, ChatDataset& dataset) {
    Result<ChatExample> example = fail(ErrorCode::too_large, line.fault);
    if (line.fault.empty()) example = read_chat_line(line.text, options);
    if (!example) {
        dataset.problems.push_back({dataset.rows, line.line, example.error().param, example.error().message});
        return;
    }
    example->row = dataset.rows;
    example->line = line.line;
    dataset.examples.push_back(std::move(*example));
}

}  // namespace

Result<ChatDataset> read_chat_dataset(const std::filesystem::path& path, const ChatReadOptions& options) {
    ROOTSTOCK_TRY(source, ByteSource::open(path));
    if (source.ahead().starts_with("\xEF\xBB\xBF")) source.skip(3);
    ChatDataset dataset;
    for (JsonRow line; read_json_line(source, options.row_bytes_max, line);) {
        if (line.fault.empty() && line.text.find_first_not_of(" \t") == std::string::npos) continue;
        if (++dataset.rows > options.rows_max)
            return fail(ErrorCode::too_large,
                        path.string() + " has more than " + format_count(static_cast<std::uint64_t>(options.rows_max)) +
                            " rows",
                        "data");
        add_row(line, options, dataset);
    }
    if (source.failed()) return fail(ErrorCode::io, "reading " + path.string() + " failed");
    ROOTSTOCK_CHECKED(check_usable(path, dataset));
    ROOTSTOCK_TRY(digest, sha256_file(path));
    dataset.digest = std::move(digest);
    return dataset;
}

}  // namespace rootstock
