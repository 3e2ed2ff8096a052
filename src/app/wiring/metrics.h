#pragma once
// What the server counts about itself, in Prometheus' text format (exposition format 0.0.4). Anybody may read it:
// tenants stand there by their ids, never by name, and nothing of what they asked.

#include <memory>
#include <string>
#include <vector>

#include "flow/flow.h"
#include "infer/infer.h"

namespace rootstock {

struct ServerLoad {  // what is true now, asked at each scrape
    struct Base {
        std::string name;
        SchedulerLoad queue;
        ResidencyLoad adapters;
        WriterLoad writing;  // nothing where the model does not write
    };
    std::vector<Base> models;
    std::size_t connections = 0;
};

class Metrics {
public:
    // The first `tenants_max` tenants that are answered get counters of their own, all others share those of "other":
    // ten thousand customers must not make ten thousand times as many lines.
    explicit Metrics(std::size_t tenants_max);
    ~Metrics();

    // `route` is the pattern, such as "/v1/models/{id}", or "other": the set of labels stays small.
    void count_request(const std::string& method, const std::string& route, int status, double seconds);
    void count_usage(const std::string& operation, const Usage& usage);
    // Where an answer's time went: per model and step, and per tenant.
    void count_journey(const JourneyFacts& facts);
    // From an inference thread.
    void count_batch(const std::string& base, const BatchFacts& facts);
    void count_step(const std::string& base, const StepFacts& facts);

    std::string text(const ServerLoad& load);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
