#pragma once
// model: what a model is, without computing anything. A spec (one transformer with options), the weights under
// canonical names straight from mapped files, and adapters in the PEFT format. Other folders include this face only.
//
//   config.json --family--> TransformerSpec      model.safetensors --family's names--> Weights
//   adapter_config.json + adapter_model.safetensors + rootstock.json <--> Adapter
//   model.gguf, or a Hugging Face folder <--> StoredModel, also merged with a PEFT folder

#include "model/adapter/adapter.h"
#include "model/adapter/merge.h"
#include "model/families/spelling.h"
#include "model/files/gguf.h"
#include "model/files/gguf_model.h"
#include "model/files/host_tensor.h"
#include "model/files/model_folder.h"
#include "model/files/safetensors.h"
#include "model/files/stored_model.h"
#include "model/spec/spec.h"
