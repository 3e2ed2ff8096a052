#pragma once
// The options of `rootstock serve`, from the command line and from a settings file, and what they mean.
//
// A settings file has one `name = value` a line, the names those of the options without their hyphens in front; `#`
// begins a comment, lists have a line for each of their values (docs/formats/settings-file.md). What the command line
// says comes before what the file says.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "app/commands/commands.h"
#include "app/wiring/settings.h"

namespace rootstock {

struct ServeOptions {
    std::string listen = "127.0.0.1:8080";
    std::vector<std::string> bases;
    std::string precision = "bf16";
    int threads = 0;
    std::size_t body_bytes_max = http::ServerLimits{}.body_bytes_max;
    std::size_t connections_max = http::ServerLimits{}.connections_max;
    std::size_t queue_rows_max = QueueLimits{}.rows_max;
    std::size_t queue_tokens_max = QueueLimits{}.tokens_max;
    std::size_t batch_tokens_max = SchedulerSettings{}.batch_tokens_max;
    std::size_t adapter_bytes_max = ResidencyLimits{}.bytes_max;
    std::size_t table_bytes_max = ResidencyLimits{}.bytes_max;
    std::size_t inputs_max = PredictLimits{}.inputs_max;
    double time_max = 30;
    int workers = ServeSettings{}.workers;
    double lease_seconds = TuneSettings{}.lease_seconds;
    std::size_t upload_bytes_max = FileSettings{}.form_bytes_max;
    std::int64_t files_bytes_max = FileSettings{}.tenant_bytes_max;
    std::size_t cache_bytes = WriterSettings{}.cache_bytes;
    std::size_t texts_max = static_cast<std::size_t>(WriterSettings{}.rows_max);
    std::size_t answer_tokens_max = static_cast<std::size_t>(GenerateLimits{}.tokens_max);
    double write_time_max = 600;
    std::string certificate, key;  // PEM files
    std::vector<std::string> cors_origins;
    std::string public_url;
    bool sign_up = false;
    std::size_t gzip_bytes_min = EdgeSettings{}.gzip_bytes_min;
    std::int64_t requests_per_minute = 0, tokens_per_minute = 0, parallel = 0;  // 0: no limit
    std::size_t metrics_tenants_max = ServeSettings{}.metrics_tenants_max;
    std::string log_level = "info";
    std::vector<std::string> webhook_allow;
    // Secrets are named by files, so that they stand in no list of processes, log or settings file.
    std::string stripe_key_file, stripe_webhook_secret_file, stripe_url = pay::StripeSettings{}.url;
    std::string smtp_url, smtp_from, smtp_user, smtp_password_file, mail_language = "en";
};

void add_serve_options(CLI::App& command, ServeOptions& options);

// Words of a settings file: {"--log-level", "debug", ...}. invalid_argument with the line at fault: no "name = value",
// an unknown name, a file of more than 64 KiB; not_found for no file.
Result<std::vector<std::string>> read_settings_file(const std::filesystem::path& file);

// The words given on the command line itself: those of its options that were named.
std::vector<std::string> given_words(const CLI::App& command);

// The settings that `given` and the file, if there is one, add up to. invalid_argument for a value that does not fit.
Result<ServeSettings> serve_settings(const Context& context, const std::vector<std::string>& given,
                                     const std::string& file);

}  // namespace rootstock
