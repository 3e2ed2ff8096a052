#include "app/wiring/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <set>

namespace rootstock {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets request_seconds{0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30};
const Buckets batch_rows{1, 2, 4, 8, 16, 32, 64, 128, 256};
const Buckets batch_tokens{16, 32, 64, 128, 256, 512, 1024, 2048, 4096};
const Buckets batch_seconds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5};

constexpr const char* other_tenants = "other";
constexpr std::array<const char*, 4> step_names{"queue", "compute", "store", "total"};

std::array<double, 4> steps_of(const JourneyFacts& facts) {
    return {facts.queue, facts.compute, facts.store, facts.total};
}

// The series of one label set, looked up once.
struct ModelSeries {
    std::array<prometheus::Histogram*, 4> seconds{};
};
struct TenantSeries {
    std::array<prometheus::Counter*, 4> seconds{};
    prometheus::Counter* answers = nullptr;
    prometheus::Counter* read = nullptr;
    prometheus::Counter* written = nullptr;
};

}  // namespace

struct Metrics::State {
    explicit State(std::size_t tenants_max) : tenants_max(tenants_max) {}

    prometheus::Registry registry;
    const std::size_t tenants_max;
    std::set<std::string> tenants{};  // those with series of their own
    std::map<std::string, ModelSeries> models{};
    std::map<std::pair<std::string, std::string>, TenantSeries> tenant_series{};

    prometheus::Family<prometheus::Counter>& counter(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    prometheus::Family<prometheus::Gauge>& gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
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
    prometheus::Family<prometheus::Counter>& written =
        counter("rootstock_written_tokens_total", "Tokens written and charged, by operation.");
    prometheus::Family<prometheus::Counter>& rows = counter("rootstock_inputs_total", "Inputs answered, by operation.");
    // The rest by base model, but for the connections.
    prometheus::Family<prometheus::Counter>& compute =
        counter("rootstock_compute_seconds_total", "Machine time spent in inference runs.");
    prometheus::Family<prometheus::Histogram>& rows_of_batch =
        histogram("rootstock_batch_rows", "Rows of one inference run.");
    prometheus::Family<prometheus::Histogram>& tokens_of_batch =
        histogram("rootstock_batch_tokens", "Tokens of one inference run.");
    prometheus::Family<prometheus::Histogram>& adapters_of_batch =
        histogram("rootstock_batch_adapters", "Different adapters in one inference run.");
    prometheus::Family<prometheus::Histogram>& seconds_of_batch =
        histogram("rootstock_batch_seconds", "Wall time of one inference run.");
    prometheus::Family<prometheus::Gauge>& queue_rows = gauge("rootstock_queue_rows", "Rows waiting for their turn.");
    prometheus::Family<prometheus::Gauge>& queue_tokens =
        gauge("rootstock_queue_tokens", "Tokens waiting for their turn.");
    prometheus::Family<prometheus::Gauge>& rows_running =
        gauge("rootstock_running_rows", "Rows in the present inference run.");
    prometheus::Family<prometheus::Gauge>& adapters = gauge("rootstock_resident_adapters", "Adapters in memory.");
    prometheus::Family<prometheus::Gauge>& adapter_bytes =
        gauge("rootstock_resident_adapter_bytes", "Memory held by adapters.");
    prometheus::Family<prometheus::Gauge>& adapter_loads =
        gauge("rootstock_adapter_loads", "Adapters loaded since the start.");
    prometheus::Family<prometheus::Gauge>& adapter_evictions =
        gauge("rootstock_adapter_evictions", "Adapters evicted since the start.");
    prometheus::Family<prometheus::Gauge>& adapters_loading =
        gauge("rootstock_adapters_loading", "Adapters coming in now.");
    prometheus::Family<prometheus::Gauge>& adapters_failed =
        gauge("rootstock_adapters_failed", "Adapters whose last loading failed.");
    prometheus::Family<prometheus::Gauge>& adapter_waiting =
        gauge("rootstock_adapter_waiting", "Requests that wait for an adapter.");
    prometheus::Family<prometheus::Gauge>& adapter_failures =
        gauge("rootstock_adapter_failures", "Failed loadings since the start.");
    prometheus::Family<prometheus::Gauge>& adapter_load_seconds =
        gauge("rootstock_adapter_load_seconds", "Time spent on loading adapters since the start.");
    prometheus::Family<prometheus::Gauge>& queue_seconds =
        gauge("rootstock_queue_seconds", "Until what waits has run, at the pace of the last runs.");
    prometheus::Family<prometheus::Histogram>& rows_of_step =
        histogram("rootstock_step_rows", "Texts that took part in one step of writing.");
    prometheus::Family<prometheus::Histogram>& seconds_of_step =
        histogram("rootstock_step_seconds", "Wall time of one step of writing.");
    prometheus::Family<prometheus::Gauge>& texts_waiting =
        gauge("rootstock_writing_waiting", "Requests waiting to be written.");
    prometheus::Family<prometheus::Gauge>& texts_running = gauge("rootstock_writing_running", "Texts being written.");
    prometheus::Family<prometheus::Gauge>& blocks_free =
        gauge("rootstock_cache_blocks_free", "Blocks of the cache of keys and values that nobody uses.");
    prometheus::Family<prometheus::Histogram>& answer_seconds =
        histogram("rootstock_answer_seconds",
                  "Where the time of paid answers went, by base model and step: queue (others' turns), compute (the "
                  "request's own "
                  "part of the machine time), store (waiting for durable commits), total.");
    prometheus::Family<prometheus::Counter>& tenant_seconds = counter(
        "rootstock_tenant_seconds_total", "The same, summed by tenant id; those without a line of their own: other.");
    prometheus::Family<prometheus::Counter>& tenant_answers =
        counter("rootstock_tenant_answers_total", "Paid answers by tenant id and base model.");
    prometheus::Family<prometheus::Counter>& tenant_tokens =
        counter("rootstock_tenant_tokens_total", "Tokens read and written, by tenant id and base model.");
    prometheus::Gauge& connections = gauge("rootstock_connections", "Open connections.").Add({});

    const std::string& label_of(const std::string& tenant) {
        static const std::string other = other_tenants;
        if (tenants.contains(tenant)) return tenant;
        if (tenants.size() >= tenants_max) return other;
        return *tenants.insert(tenant).first;
    }

    ModelSeries& series_of(const std::string& model) {
        auto& series = models[model];
        for (std::size_t i = 0; !series.seconds.back() && i < step_names.size(); ++i)
            series.seconds[i] = &answer_seconds.Add({{"model", model}, {"step", step_names[i]}}, request_seconds);
        return series;
    }

    TenantSeries& series_of(const std::string& tenant, const std::string& model) {
        auto& series = tenant_series[{tenant, model}];
        if (series.answers) return series;
        const prometheus::Labels labels{{"tenant", tenant}, {"model", model}};
        auto with = [&](const char* name, const char* value) {
            auto more = labels;
            more[name] = value;
            return more;
        };
        for (std::size_t i = 0; i < step_names.size(); ++i)
            series.seconds[i] = &tenant_seconds.Add(with("step", step_names[i]));
        series.answers = &tenant_answers.Add(labels);
        series.read = &tenant_tokens.Add(with("kind", "read"));
        series.written = &tenant_tokens.Add(with("kind", "written"));
        return series;
    }

    void set(const ServerLoad::Base& load) {
        const prometheus::Labels base{{"base", load.name}};
        auto tell = [&](prometheus::Family<prometheus::Gauge>& family, auto value) {
            family.Add(base).Set(static_cast<double>(value));
        };
        tell(queue_rows, load.queue.rows_waiting);
        tell(queue_tokens, load.queue.tokens_waiting);
        tell(rows_running, load.queue.rows_running);
        tell(adapters, load.adapters.adapters);
        tell(adapter_bytes, load.adapters.bytes);
        tell(adapter_loads, load.adapters.loads);
        tell(adapter_evictions, load.adapters.evictions);
        tell(adapters_loading, load.adapters.loading);
        tell(adapters_failed, load.adapters.failed);
        tell(adapter_waiting, load.adapters.waiting);
        tell(adapter_failures, load.adapters.failures);
        tell(adapter_load_seconds, static_cast<double>(load.adapters.load_micros) * 1e-6);
        tell(queue_seconds, load.queue.seconds_waiting);
        if (load.writing.blocks == 0) return;
        tell(texts_waiting, load.writing.requests_waiting);
        tell(texts_running, load.writing.rows_running);
        tell(blocks_free, load.writing.blocks_free);
    }
};

Metrics::Metrics(std::size_t tenants_max) : state_(std::make_unique<State>(tenants_max)) {}
Metrics::~Metrics() = default;

void Metrics::count_request(const std::string& method, const std::string& route, int status, double seconds) {
    state_->requests.Add({{"method", method}, {"route", route}, {"status", std::to_string(status)}}).Increment();
    state_->seconds.Add({{"route", route}}, request_seconds).Observe(seconds);
}

void Metrics::count_usage(const std::string& operation, const Usage& usage) {
    state_->tokens.Add({{"operation", operation}}).Increment(static_cast<double>(usage.input_tokens));
    state_->written.Add({{"operation", operation}}).Increment(static_cast<double>(usage.output_tokens));
    state_->rows.Add({{"operation", operation}}).Increment(static_cast<double>(usage.rows));
}

void Metrics::count_journey(const JourneyFacts& facts) {
    auto& model = state_->series_of(facts.model);
    auto& tenant = state_->series_of(state_->label_of(facts.tenant.text()), facts.model);
    const auto seconds = steps_of(facts);
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        model.seconds[i]->Observe(seconds[i]);
        tenant.seconds[i]->Increment(seconds[i]);
    }
    tenant.answers->Increment();
    tenant.read->Increment(static_cast<double>(facts.usage.input_tokens));
    tenant.written->Increment(static_cast<double>(facts.usage.output_tokens));
}

void Metrics::count_batch(const std::string& base, const BatchFacts& facts) {
    const prometheus::Labels labels{{"base", base}};
    double seconds = static_cast<double>(facts.micros) * 1e-6;
    state_->compute.Add(labels).Increment(seconds);
    state_->rows_of_batch.Add(labels, batch_rows).Observe(static_cast<double>(facts.rows));
    state_->tokens_of_batch.Add(labels, batch_tokens).Observe(static_cast<double>(facts.tokens));
    state_->adapters_of_batch.Add(labels, batch_rows).Observe(static_cast<double>(facts.adapters));
    state_->seconds_of_batch.Add(labels, batch_seconds).Observe(seconds);
}

void Metrics::count_step(const std::string& base, const StepFacts& facts) {
    const prometheus::Labels labels{{"base", base}};
    double seconds = static_cast<double>(facts.micros) * 1e-6;
    state_->compute.Add(labels).Increment(seconds);
    state_->rows_of_step.Add(labels, batch_rows).Observe(static_cast<double>(facts.rows));
    state_->seconds_of_step.Add(labels, batch_seconds).Observe(seconds);
}

std::string Metrics::text(const ServerLoad& load) {
    for (const auto& base : load.models) state_->set(base);
    state_->connections.Set(static_cast<double>(load.connections));
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace rootstock
