#pragma once
// What the server counts about itself, in Prometheus' text format (exposition format 0.0.4). Never a tenant's name or
// text: anybody may read it.

#include <memory>
#include <string>
#include <vector>

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
    Metrics();
    ~Metrics();

    // `route` is the pattern, such as "/v1/models/{id}", or "other": the set of labels stays small.
    void count_request(const std::string& method, const std::string& route, int status, double seconds);
    void count_usage(const std::string& operation, const Usage& usage);
    // From an inference thread.
    void count_batch(const std::string& base, const BatchFacts& facts);
    void count_step(const std::string& base, const StepFacts& facts);

    std::string text(const ServerLoad& load);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
