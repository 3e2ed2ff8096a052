#include "app/batches/batch_lines.h"

#include <utility>

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t problems_max = 50;
constexpr std::size_t custom_id_max = 512;

std::int64_t number_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_int64() ? value->get_int64() : 0;
}

json::object line_object(const std::string& custom_id, Timestamp now) {
    return {{"id", mint_id("batch_req", now)}, {"custom_id", custom_id}};
}

}  // namespace

json::value to_json(const std::vector<LineProblem>& problems) {
    json::array list;
    for (const auto& problem : problems)
        list.push_back(
            json::object{{"code", problem.code},
                         {"message", problem.message},
                         {"param", problem.param.empty() ? json::value(nullptr) : json::value(problem.param)},
                         {"line", problem.line > 0 ? json::value(problem.line) : json::value(nullptr)}});
    return list;
}

Result<BatchLines> BatchLines::open(const fs::path& path, std::string endpoint) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return fail(ErrorCode::io, "the input file of a batch cannot be read");
    return BatchLines(std::move(stream), std::move(endpoint));
}

std::optional<std::expected<BatchLine, LineProblem>> BatchLines::next() {
    std::string text;
    for (int c; (c = stream_.rdbuf()->sbumpc()) != std::char_traits<char>::eof();) {
        if (c != '\n') {
            // One byte more than a line may have tells that it is too long; the rest is passed over.
            if (text.size() <= batch_line_bytes_max) text += static_cast<char>(c);
            continue;
        }
        ++line_;
        if (text.find_first_not_of(" \t\r") == std::string::npos) {
            text.clear();
            continue;
        }
        return read(text);
    }
    if (text.find_first_not_of(" \t\r") == std::string::npos) return std::nullopt;
    ++line_;
    return read(text);
}

std::expected<BatchLine, LineProblem> BatchLines::read(const std::string& text) const {
    auto problem = [this](std::string code, std::string message, std::string param = {}) {
        return std::unexpected(LineProblem{std::move(code), std::move(message), std::move(param), line_});
    };
    if (text.size() > batch_line_bytes_max)
        return problem("line_too_long", "the line has more than " + std::to_string(batch_line_bytes_max) + " bytes");
    auto value = parse_json(text, "the line");
    if (!value) return problem("invalid_json_line", value.error().message);
    JsonFields fields(*value, "the line");
    BatchLine line{line_, fields.required_string("custom_id"), {}};
    auto method = fields.required_string("method");
    auto url = fields.required_string("url");
    const auto* body = fields.required_value("body");
    if (auto fine = fields.finish(); !fine) return problem("invalid_request", fine.error().message, fine.error().param);
    if (method != "POST") return problem("invalid_method", "'method' must be \"POST\"", "method");
    if (url != endpoint_)
        return problem("mismatched_endpoint", "'url' must be the batch's endpoint, " + endpoint_, "url");
    if (line.custom_id.empty() || line.custom_id.size() > custom_id_max)
        return problem("invalid_custom_id", "'custom_id' must have 1 to 512 bytes", "custom_id");
    if (!body->is_object()) return problem("invalid_request", "'body' must be an object", "body");
    const auto* stream = body->get_object().if_contains("stream");
    if (stream && stream->is_bool() && stream->get_bool())
        return problem("streaming_unsupported", "a batch answers whole: leave \"stream\" out", "body.stream");
    line.body = *body;
    return line;
}

Result<BatchSurvey> survey_batch(const fs::path& path, const std::string& endpoint) {
    ROOTSTOCK_TRY(lines, BatchLines::open(path, endpoint));
    BatchSurvey survey;
    std::unordered_set<std::string> seen;
    auto add = [&](LineProblem problem) {
        if (survey.problems.size() < problems_max) survey.problems.push_back(std::move(problem));
    };
    while (auto line = lines.next()) {
        ++survey.lines;
        if (!*line) {
            add(std::move(line->error()));
            continue;
        }
        if (!seen.insert((*line)->custom_id).second)
            add({"duplicate_custom_id", "'" + (*line)->custom_id + "' is the custom_id of an earlier line", "custom_id",
                 (*line)->line});
        const auto* model = (*line)->body.get_object().if_contains("model");
        if (survey.lines == 1 && model && model->is_string()) survey.model = std::string(model->get_string());
        if (survey.lines > batch_lines_max) {
            add({"too_many_lines",
                 "a batch has at most " + std::to_string(batch_lines_max) + " lines",
                 {},
                 (*line)->line});
            break;
        }
    }
    if (survey.lines == 0) add({"empty_file", "the file has no lines", {}, 0});
    return survey;
}

std::pair<std::int64_t, std::int64_t> tokens_told(const json::value& body) {
    const auto* object = body.if_object();
    const auto* usage = object ? object->if_contains("usage") : nullptr;
    if (!usage || !usage->is_object()) return {0, 0};
    const auto& told = usage->get_object();
    return {number_at(told, "prompt_tokens") + number_at(told, "input_tokens"),
            number_at(told, "completion_tokens") + number_at(told, "output_tokens")};
}

Result<BatchRemains> read_remains(const fs::path& path) {
    BatchRemains remains;
    std::error_code code;
    if (!fs::exists(path, code)) return remains;
    std::ifstream stream(path, std::ios::binary);
    std::uintmax_t whole = 0;  // bytes of complete lines
    for (std::string line; std::getline(stream, line) && !stream.eof(); whole += line.size() + 1) {
        auto value = parse_json(line, "an answered line");
        const auto* object = value ? value->if_object() : nullptr;
        if (!object || !object->contains("custom_id")) break;
        remains.answered.emplace(object->at("custom_id").as_string());
        const auto* response = object->at("response").if_object();
        if (!response) continue;
        auto [in, out] = tokens_told(response->at("body"));
        remains.input_tokens += in;
        remains.output_tokens += out;
    }
    stream.close();
    fs::resize_file(path, whole, code);
    if (code) return fail(ErrorCode::io, "cannot write " + path.string() + ": " + code.message());
    return remains;
}

std::string answer_line(const std::string& custom_id, int status, const std::string& request, const json::value& body,
                        Timestamp now) {
    auto line = line_object(custom_id, now);
    line["response"] = json::object{{"status_code", status}, {"request_id", request}, {"body", body}};
    line["error"] = nullptr;
    return json::serialize(line) + "\n";
}

std::string error_line(const std::string& custom_id, const std::string& code, const std::string& message,
                       Timestamp now) {
    auto line = line_object(custom_id, now);
    line["response"] = nullptr;
    line["error"] = json::object{{"code", code}, {"message", message}};
    return json::serialize(line) + "\n";
}

}  // namespace rootstock
