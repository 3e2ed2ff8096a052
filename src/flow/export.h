#pragma once
// The journey of a model out of the house, in the files that other tools read.
//
//   hf       a base model as a folder for transformers
//   gguf     a base model as one file for llama.cpp
//   peft     an adapter as a folder for peft
//   merged   an adapter and its base as one model: a folder, or a GGUF file when the output ends in .gguf
//
// Everything appears complete or not at all, and is read back before it does.

#include <filesystem>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"

namespace rootstock {

struct ExportOrder {
    std::string name;    // base model or adapter as the catalog knows it, or a folder or .gguf file
    std::string format;  // hf, gguf, peft or merged
    std::string output;
    std::string dtype;   // hf, merged: auto (as stored), f32, f16, bf16; gguf: f16, f32, q8_0, q4_0; empty: auto or f16
    std::string tenant;  // owner of the adapter, by name or id; empty: the house
    std::uint64_t shard_bytes_max = std::uint64_t{5} << 30;
};

struct Exported {
    std::filesystem::path output;
    std::uint64_t bytes = 0;
    std::vector<std::string> left_out;  // tensors that the format has no place for
};

// not_found, already_exists (the output is there), unsupported (the format has no place for it, by name), io.
Result<Exported> export_model(store::Database& records, const Home& home, const ExportOrder& order);

struct MergeOrder {
    std::string base;     // base model, folder or .gguf file; empty: the base of the adapter
    std::string adapter;  // adapter of the catalog, or a PEFT folder
    std::string output;
    std::string dtype;
    std::string tenant;
    std::uint64_t shard_bytes_max = std::uint64_t{5} << 30;
};
Result<Exported> merge_model(store::Database& records, const Home& home, const MergeOrder& order);

}  // namespace rootstock
