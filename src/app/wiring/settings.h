#pragma once
// What a server is told when it starts, and again when it is told to look (SIGHUP).

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/wiring/worker.h"
#include "flow/flow.h"
#include "http/http.h"

namespace rootstock {

// What customers may leave with us.
struct FileSettings {
    std::size_t form_bytes_max = std::size_t{512} << 20;     // one upload, or one part of one; 413 beyond
    std::size_t picture_bytes_max = std::size_t{16} << 20;   // a form with a picture to be looked at; 413 beyond
    std::int64_t upload_bytes_max = std::int64_t{8} << 30;   // a file that comes in parts
    std::int64_t tenant_bytes_max = std::int64_t{16} << 30;  // all files of one tenant
};

// What every answer is given on its way out.
struct EdgeSettings {
    std::vector<std::string> cors_origins;  // pages that may call from a browser
    std::size_t gzip_bytes_min = 1024;      // smaller bodies are never packed; 0: none is
};

// The world outside: who moves money, where letters go, whom webhooks may reach.
struct OutsideSettings {
    pay::StripeSettings stripe;  // without a key there is no such provider
    CourierSettings courier;
    letters::Language language = letters::Language::english;
};

// What strangers see in a browser.
struct FrontSettings {
    std::string
        url;  // "https://rootstock.example.com": where the world finds this server; empty: it is not to be found
    bool sign_up = false;  // may strangers open a trial?
};

// One setting as it was given or stands by default: to tell what changed.
struct ToldSetting {
    std::string name;   // "log-level"
    std::string value;  // "info"; lists with ", " between
    bool live = false;  // takes effect without a restart

    bool operator==(const ToldSetting&) const = default;
};

struct ServeSettings {
    Home home;
    std::string listen = "127.0.0.1:8080";
    std::optional<http::TlsFiles> tls;  // nothing: plain HTTP
    std::vector<std::string> bases;     // names or digests; none: the only model there is
    NativeOptions native;
    http::ServerLimits http;
    SchedulerSettings scheduler;
    ResidencyLimits residency;
    ResidencyLimits tables;  // of table models
    PredictLimits predict;
    FileSettings files;
    EdgeSettings answers;
    tenant::Limits key_limits;  // of keys that have none of their own
    WorkerSettings worker;      // its home is ours
    int workers = 1;            // processes for tuning jobs that are kept beside the server
    WriterSettings writer;
    GenerateLimits generate;
    OutsideSettings outside;
    FrontSettings front;
    std::string log_level = "info";         // "error", "warning", "info", "debug"
    std::size_t metrics_tenants_max = 100;  // tenants with counters of their own; the others share one
    std::vector<ToldSetting> told;          // all of the above that can be set
};

// Reads the settings anew: the file, under what the command line said when the server was started.
using SettingsSource = std::function<Result<ServeSettings>()>;

}  // namespace rootstock
