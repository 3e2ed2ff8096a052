#pragma once
// Everything a running server is made of, built once in the order it stands here and taken down in reverse.

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "app/wiring/metrics.h"
#include "flow/flow.h"
#include "http/http.h"

namespace rootstock {

struct ServeSettings {
    Home home;
    std::string listen = "127.0.0.1:8080";
    std::vector<std::string> bases;  // names or digests; none: the only model there is
    NativeOptions native;
    http::ServerLimits http;
    SchedulerSettings scheduler;
    ResidencyLimits residency;
    PredictLimits predict;
    WriterSettings writer;
    GenerateLimits generate;
};

struct Services {
    Services(ServeSettings chosen, Clock& time) : settings(std::move(chosen)), clock(time) {}

    ServeSettings settings;
    Clock& clock;
    std::string run;  // this process in the ledger
    std::unique_ptr<store::Database> records;
    Metrics metrics;
    ServedModels models;
    boost::asio::thread_pool pool{1};  // parsing and tokenizing of large requests
    std::unique_ptr<Predict> predict;
    std::unique_ptr<Read> reading;
    std::unique_ptr<Generate> generate;
    std::function<std::size_t()> connections = [] { return std::size_t{0}; };
    bool draining = false;

    ServerLoad load() const;
};

// Opens the records, loads the base models, starts the threads. Sentences for: no model pulled yet, several and none
// chosen, a model folder that is gone or broken, records that cannot be written.
Result<std::unique_ptr<Services>> open_services(ServeSettings settings, Clock& clock);

}  // namespace rootstock
