#pragma once
// rootstock.json of an adapter folder, and the card beside it: what the peft format has no place for.
//
//   {"format": 1, "task": "classify", "labels": [str], "base_digest": str, "max_tokens": int,
//    "self_tests": [{"text": str, "ids": [int], "logits": [number]}], "lineage": {}}

#include <string>

#include "base/base.h"
#include "model/adapter/adapter.h"

namespace rootstock {

json::object adapter_meta_to_json(const Adapter& adapter);

// Fills the adapter's fields; its head must be read already, for labels and logits are counted against it.
Result<void> read_adapter_meta(const json::value& value, const std::string& what, const TransformerSpec& spec,
                               Adapter& adapter);

// For a folder without rootstock.json: LABEL_0, LABEL_1..., as transformers names them.
void default_adapter_meta(Adapter& adapter);

std::string adapter_card(const Adapter& adapter);

}  // namespace rootstock
