#include <algorithm>
#include <cstring>

#include "model/files/safetensors.h"

namespace rootstock {

namespace {

using Item = std::map<std::string, HostTensor>::const_pointer;

// The reference writer sorts by dtype, widest first, so that every tensor lies on its natural boundary.
std::vector<Item> in_file_order(const std::map<std::string, HostTensor>& tensors) {
    std::vector<Item> items;
    for (const auto& item : tensors) items.push_back(&item);
    std::ranges::stable_sort(items, [](Item a, Item b) { return a->second.dtype > b->second.dtype; });
    return items;
}

std::string header_of(const std::vector<Item>& items) {
    json::object header{{"__metadata__", json::object{{"format", "pt"}}}};
    std::uint64_t at = 0;
    for (const auto* item : items) {
        const auto& tensor = item->second;
        const std::uint64_t end = at + tensor.bytes.size();
        header[item->first] = json::object{{"dtype", name(tensor.dtype)},
                                           {"shape", json::array(tensor.shape.begin(), tensor.shape.end())},
                                           {"data_offsets", json::array{at, end}}};
        at = end;
    }
    std::string text = json::serialize(header);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
}

}  // namespace

std::string safetensors_bytes(const std::map<std::string, HostTensor>& tensors) {
    const auto items = in_file_order(tensors);
    const auto header = header_of(items);
    const std::uint64_t length = header.size();
    std::string bytes(sizeof(length), '\0');
    std::memcpy(bytes.data(), &length, sizeof(length));
    bytes += header;
    for (const auto* item : items)
        bytes.append(reinterpret_cast<const char*>(item->second.bytes.data()), item->second.bytes.size());
    return bytes;
}

Result<void> write_safetensors(const std::filesystem::path& path, const std::map<std::string, HostTensor>& tensors) {
    return write_file_atomically(path, safetensors_bytes(tensors));
}

}  // namespace rootstock
