#include "app/wiring/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace rootstock {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets request_seconds{0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30};
const Buckets batch_rows{1, 2, 4, 8, 16, 32, 64, 128, 256};
const Buckets batch_tokens{16, 32, 64, 128, 256, 512, 1024, 2048, 4096};
const Buckets batch_seconds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5};

}  // namespace

struct Metrics::State {
    prometheus::Registry registry;

    prometheus::Family<prometheus::Counter>& counter(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    prometheus::Gauge& gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
    }
    prometheus::Family<prometheus::Histogram>& histogram(const char* name, const char* help) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }

    prometheus::Family<prometheus::Counter>& requests =
        counter("rootstock_http_requests_total", "Requests answered, by route and status.");
    prometheus::Family<prometheus::Histogram>& seconds =
        histogram("rootstock_http_request_seconds", "From the last byte of a request's head to its answer.");
    prometheus::Family<prometheus::Counter>& tokens =
        counter("rootstock_tokens_total", "Tokens charged, by operation.");
    prometheus::Family<prometheus::Counter>& rows = counter("rootstock_inputs_total", "Inputs answered, by operation.");
    prometheus::Counter& compute =
        counter("rootstock_compute_seconds_total", "Machine time spent in inference runs.").Add({});
    prometheus::Histogram& rows_of_batch =
        histogram("rootstock_batch_rows", "Rows of one inference run.").Add({}, batch_rows);
    prometheus::Histogram& tokens_of_batch =
        histogram("rootstock_batch_tokens", "Tokens of one inference run.").Add({}, batch_tokens);
    prometheus::Histogram& adapters_of_batch =
        histogram("rootstock_batch_adapters", "Different adapters in one inference run.").Add({}, batch_rows);
    prometheus::Histogram& seconds_of_batch =
        histogram("rootstock_batch_seconds", "Wall time of one inference run.").Add({}, batch_seconds);
    prometheus::Gauge& queue_rows = gauge("rootstock_queue_rows", "Rows waiting for their turn.");
    prometheus::Gauge& queue_tokens = gauge("rootstock_queue_tokens", "Tokens waiting for their turn.");
    prometheus::Gauge& rows_running = gauge("rootstock_running_rows", "Rows in the present inference run.");
    prometheus::Gauge& adapters = gauge("rootstock_resident_adapters", "Adapters in memory.");
    prometheus::Gauge& adapter_bytes = gauge("rootstock_resident_adapter_bytes", "Memory held by adapters.");
    prometheus::Gauge& adapter_loads = gauge("rootstock_adapter_loads", "Adapters loaded since the start.");
    prometheus::Gauge& adapter_evictions = gauge("rootstock_adapter_evictions", "Adapters evicted since the start.");
    prometheus::Gauge& adapters_loading = gauge("rootstock_adapters_loading", "Adapters coming in now.");
    prometheus::Gauge& adapters_failed = gauge("rootstock_adapters_failed", "Adapters whose last loading failed.");
    prometheus::Gauge& adapter_waiting = gauge("rootstock_adapter_waiting", "Requests that wait for an adapter.");
    prometheus::Gauge& adapter_failures = gauge("rootstock_adapter_failures", "Failed loadings since the start.");
    prometheus::Gauge& adapter_load_seconds =
        gauge("rootstock_adapter_load_seconds", "Time spent on loading adapters since the start.");
    prometheus::Gauge& queue_seconds =
        gauge("rootstock_queue_seconds", "Until what waits has run, at the pace of the last runs.");
    prometheus::Gauge& connections = gauge("rootstock_connections", "Open connections.");
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::count_request(const std::string& method, const std::string& route, int status, double seconds) {
    state_->requests.Add({{"method", method}, {"route", route}, {"status", std::to_string(status)}}).Increment();
    state_->seconds.Add({{"route", route}}, request_seconds).Observe(seconds);
}

void Metrics::count_usage(const std::string& operation, const Usage& usage) {
    state_->tokens.Add({{"operation", operation}}).Increment(static_cast<double>(usage.input_tokens));
    state_->rows.Add({{"operation", operation}}).Increment(static_cast<double>(usage.rows));
}

void Metrics::count_batch(const BatchFacts& facts) {
    double seconds = static_cast<double>(facts.micros) * 1e-6;
    state_->compute.Increment(seconds);
    state_->rows_of_batch.Observe(static_cast<double>(facts.rows));
    state_->tokens_of_batch.Observe(static_cast<double>(facts.tokens));
    state_->adapters_of_batch.Observe(static_cast<double>(facts.adapters));
    state_->seconds_of_batch.Observe(seconds);
}

std::string Metrics::text(const ServerLoad& load) {
    state_->queue_rows.Set(static_cast<double>(load.queue.rows_waiting));
    state_->queue_tokens.Set(static_cast<double>(load.queue.tokens_waiting));
    state_->rows_running.Set(static_cast<double>(load.queue.rows_running));
    state_->adapters.Set(static_cast<double>(load.adapters.adapters));
    state_->adapter_bytes.Set(static_cast<double>(load.adapters.bytes));
    state_->adapter_loads.Set(static_cast<double>(load.adapters.loads));
    state_->adapter_evictions.Set(static_cast<double>(load.adapters.evictions));
    state_->adapters_loading.Set(static_cast<double>(load.adapters.loading));
    state_->adapters_failed.Set(static_cast<double>(load.adapters.failed));
    state_->adapter_waiting.Set(static_cast<double>(load.adapters.waiting));
    state_->adapter_failures.Set(static_cast<double>(load.adapters.failures));
    state_->adapter_load_seconds.Set(static_cast<double>(load.adapters.load_micros) * 1e-6);
    state_->queue_seconds.Set(load.queue.seconds_waiting);
    state_->connections.Set(static_cast<double>(load.connections));
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace rootstock
