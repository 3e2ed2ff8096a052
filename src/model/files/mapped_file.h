#pragma once
// A file's bytes as memory, read-only. They are fetched when touched and shared by every process that maps the file; a
// file of up to a mebibyte is copied instead, since a mapping's faults, and its end, which every core must hear of,
// cost more (a server brings in adapters all the time).

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "base/base.h"

namespace rootstock {

class MappedFile {
public:
    // not_found, or io with the system's reason. An empty file maps to no bytes.
    static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {data_, size_}; }
    void release_pages() const;  // see Weights::release_pages

private:
    MappedFile(const std::byte* data, std::size_t size, bool mapped) : data_(data), size_(size), mapped_(mapped) {}

    const std::byte* data_;
    std::size_t size_;
    bool mapped_;
};

}  // namespace rootstock
