#include <algorithm>
#include <cstring>

#include "model/files/mapped_file.h"
#include "model/files/safetensors.h"
#include "model/files/written_file.h"

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
        ROOTSTOCK_CHECK(!is_blocks(tensor.dtype), "blocks are decoded before they are written as safetensors");
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

namespace {

std::string head_of(const std::vector<Item>& items) {
    const auto header = header_of(items);
    const std::uint64_t length = header.size();
    std::string bytes(sizeof(length), '\0');
    std::memcpy(bytes.data(), &length, sizeof(length));
    return bytes + header;
}

std::string_view text_of(const HostTensor& tensor) {
    return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

}  // namespace

std::string safetensors_bytes(const std::map<std::string, HostTensor>& tensors) {
    const auto items = in_file_order(tensors);
    auto bytes = head_of(items);
    for (const auto* item : items) bytes += text_of(item->second);
    return bytes;
}

Result<void> write_safetensors(const std::filesystem::path& path, const std::map<std::string, HostTensor>& tensors) {
    const auto items = in_file_order(tensors);
    const auto head = head_of(items);
    std::vector<std::string_view> pieces{head};
    for (const auto* item : items) pieces.push_back(text_of(item->second));
    ROOTSTOCK_CHECKED(write_pieces(path, pieces));
    ROOTSTOCK_CHECKED(read_safetensors(path));
    return {};
}

}  // namespace rootstock
