#pragma once
// Everything a running server is made of, built once in the order it stands here and taken down in reverse.

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/wiring/metrics.h"
#include "app/wiring/settings.h"
#include "flow/flow.h"
#include "http/http.h"
#include "outbox/outbox.h"

namespace rootstock {

struct Services {
    Services(ServeSettings chosen, Clock& time)
        : settings(std::move(chosen)), clock(time), metrics(settings.metrics_tenants_max) {}

    ServeSettings settings;  // those that are live change under a running server, on the I/O thread
    Clock& clock;
    std::string run;  // this process in the ledger
    std::unique_ptr<store::Database> records;
    Metrics metrics;
    tenant::RateLimits rates;
    ServedModels models;
    std::unique_ptr<TableDesk> tables;
    std::unique_ptr<store::Blobs> blobs;
    boost::asio::thread_pool pool{1};       // parsing and tokenizing of large requests
    boost::asio::thread_pool disk{2};       // reading and writing of files
    boost::asio::thread_pool passwords{1};  // hashing them, apart from all that answers
    int passwords_waiting = 0;
    boost::asio::thread_pool outside{2};  // waiting for providers of payments
    tenant::Attempts attempts;            // to sign in
    std::optional<outbox::Vault> vault;   // always there once the services are open
    std::unique_ptr<pay::Cashier> cashier;
    std::unique_ptr<Predict> predict;
    std::unique_ptr<Read> reading;
    std::unique_ptr<ScoreRows> scoring;
    std::unique_ptr<Generate> generate;
    std::function<std::size_t()> connections = [] { return std::size_t{0}; };
    bool draining = false;

    ServerLoad load() const;
    double seconds_waiting() const;  // until what waits has run, of the model that has most to do

    // A change of the records, awaited until it is durable. `work` is Result<T>(store::Session&).
    template <typename Work>
    boost::asio::awaitable<std::invoke_result_t<Work&, store::Session&>> write(Work work) {
        using R = std::invoke_result_t<Work&, store::Session&>;
        auto start = [this, work = std::move(work)](auto done) mutable {
            records->write_value(std::move(work), std::move(done));
        };
        co_return co_await await_done<R>(std::move(start));
    }
};

// Opens the records, loads the base models, starts the threads. Sentences for: no model pulled yet, several and none
// chosen, a model folder that is gone or broken, records that cannot be written.
Result<std::unique_ptr<Services>> open_services(ServeSettings settings, Clock& clock);

}  // namespace rootstock
