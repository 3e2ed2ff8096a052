#pragma once
// The tensors of adapter_model.safetensors: names and shapes, both ways.

#include <map>
#include <string>

#include "model/adapter/peft_config.h"
#include "model/files/host_tensor.h"

namespace rootstock {

// Fills pairs and head from the file's tensors, checked against configuration and model. `what` is the file.
Result<void> read_adapter_tensors(const std::map<std::string, HostTensor>& tensors, const PeftConfig& config,
                                  const TransformerSpec& spec, const std::string& what, Adapter& adapter);

std::map<std::string, HostTensor> adapter_tensors(const Adapter& adapter, const TransformerSpec& spec);

}  // namespace rootstock
