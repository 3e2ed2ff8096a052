#pragma once
// One batch from its file to its answers.

#include <boost/asio/steady_timer.hpp>
#include <fstream>
#include <list>

#include "app/batches/batch_lines.h"
#include "app/pipeline/exchange.h"

namespace rootstock {

struct BatchJobSettings {
    int lines_at_once = 8;
    double save_seconds = 1;         // between two looks at the records: counts out, cancellation in
    const bool* stopping = nullptr;  // the server is told to end
};

class BatchJob {
public:
    BatchJob(Services& services, const Routes& routes, catalog::Batch batch, BatchJobSettings settings);

    // To the batch's end, or to the server's: it is taken up again then.
    Task<void> run();

private:
    enum class End { done, cancelled, expired, stopped };

    Task<Result<void>> steps();
    Task<Result<bool>> validate();
    Task<Result<void>> take_up();  // what an earlier run left
    Task<Result<End>> answer_lines();
    Task<Result<std::optional<End>>> look();  // writes the counts, hears of the end
    Task<void> answer_line(BatchLine line);
    Task<http::Response> ask(const BatchLine& line, RequestId& request);
    void keep(const BatchLine& line, int status, const std::string& request, const http::Response& response);
    Result<void> expire_rest();
    Task<Result<void>> finish(End end);
    Task<Result<FileId>> publish(const std::filesystem::path& from, const char* what);
    Task<Result<void>> save();
    Task<void> pause(double seconds);

    std::filesystem::path input() const;
    std::filesystem::path output_file() const { return folder_ / "output.jsonl"; }
    std::filesystem::path errors_file() const { return folder_ / "errors.jsonl"; }

    Services& services_;
    const Routes& routes_;
    catalog::Batch batch_;
    BatchJobSettings settings_;
    std::filesystem::path folder_;
    std::unordered_set<std::string> answered_;
    std::ofstream output_, errors_;
    tenant::Caller caller_;
    int under_way_ = 0;
};

}  // namespace rootstock
