#pragma once
// safetensors files (huggingface/safetensors), read through mmap and written whole.
//
//   u64 LE header length N (N <= 100,000,000) | N bytes of JSON, first byte '{', padded with spaces | raw buffer
//   {"__metadata__": {str: str}, "name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end)}, ...}
//
// Offsets count from the start of the buffer. Tensors cover the buffer without hole or overlap, and the file ends
// where the last one does. The reader checks all of it before it hands out a byte.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/base.h"
#include "model/files/host_tensor.h"

namespace rootstock {

class MappedFile;

struct Safetensors {
    std::map<std::string, HostTensor> tensors;
    std::map<std::string, std::string> metadata;
    std::shared_ptr<const MappedFile> file;
};

// not_found: no such file. corrupt: the bytes contradict themselves (truncated, holes, duplicate names...), with a
// sentence that names the file and what to do.
Result<Safetensors> read_safetensors(const std::filesystem::path& path);

// The same of bytes in memory: tensors point into them and hold `owner`; `what` names them in sentences.
Result<Safetensors> parse_safetensors(std::span<const std::byte> bytes, std::string_view what,
                                      std::shared_ptr<const void> owner = {});

// The file as bytes, or written to a temporary name, synced, read back and renamed: metadata {"format": "pt"}, tensors
// ordered as the reference writer orders them (element size descending, then name), header padded to 8 bytes.
std::string safetensors_bytes(const std::map<std::string, HostTensor>& tensors);
Result<void> write_safetensors(const std::filesystem::path& path, const std::map<std::string, HostTensor>& tensors);

}  // namespace rootstock
