// model/adapter: adapter_config.json with its patterns for modules, tried on paths that a model has.

#include "input.h"
#include "model/adapter/peft_config.h"
#include "model/model.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto value = parse_json(fuzz::as_text(data, size), "adapter_config.json");
    if (!value) return 0;
    auto config = peft_config_from_json(*value, "adapter_config.json");
    if (!config) return 0;
    for (const char* path :
         {"bert.encoder.layer.0.attention.self.query", "bert.encoder.layer.11.output.dense", "classifier"}) {
        fuzz::use(config->rank_of(path).has_value());
        fuzz::use(config->scale_of(path).has_value());
        fuzz::use(config->selects(path, LinearMap{"layers.0.query", "query", 8, 8, 0}).has_value());
    }
    return 0;
}
