#pragma once
// The lines of a batch's input file, and of the files it leaves:
//
//   input    {"custom_id": "a", "method": "POST", "url": "/v1/classify", "body": {...}}
//   output   {"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error": null}
//   errors   the same with a status other than 200, or with "response": null and "error": {"code", "message"}

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/base.h"

namespace rootstock {

inline constexpr std::int64_t batch_lines_max = 50'000;
inline constexpr std::size_t batch_line_bytes_max = 1024 * 1024;

struct BatchLine {
    std::int64_t line = 0;  // of the file, from 1
    std::string custom_id;
    json::value body;
};

struct LineProblem {
    std::string code, message, param;
    std::int64_t line = 0;
};
json::value to_json(const std::vector<LineProblem>& problems);

// One line after the other; blank ones are passed over. A faulty line is a problem and the next follows.
class BatchLines {
public:
    static Result<BatchLines> open(const std::filesystem::path& path, std::string endpoint);

    // Nothing at the end.
    std::optional<std::expected<BatchLine, LineProblem>> next();

private:
    BatchLines(std::ifstream stream, std::string endpoint)
        : stream_(std::move(stream)), endpoint_(std::move(endpoint)) {}
    std::expected<BatchLine, LineProblem> read(const std::string& text) const;

    std::ifstream stream_;
    std::string endpoint_;
    std::int64_t line_ = 0;
};

struct BatchSurvey {
    std::int64_t lines = 0;
    std::string model;                  // of the first line
    std::vector<LineProblem> problems;  // the first 50; with any the batch fails
};

// Reads the whole file once: is every line a request to the endpoint, with a custom_id of its own?
Result<BatchSurvey> survey_batch(const std::filesystem::path& path, const std::string& endpoint);

// What earlier runs left in an output or error file: the custom_ids answered, and their sums. A line that a crash tore
// is cut off.
struct BatchRemains {
    std::unordered_set<std::string> answered;
    std::int64_t input_tokens = 0, output_tokens = 0;
};
Result<BatchRemains> read_remains(const std::filesystem::path& path);

// Tokens that an answer's body tells: "usage": {"prompt_tokens", "completion_tokens"}, "input_tokens", "output_tokens".
std::pair<std::int64_t, std::int64_t> tokens_told(const json::value& body);

std::string answer_line(const std::string& custom_id, int status, const std::string& request, const json::value& body,
                        Timestamp now);
std::string error_line(const std::string& custom_id, const std::string& code, const std::string& message,
                       Timestamp now);

}  // namespace rootstock
