#pragma once
// A body that is too large for memory: a request's, kept in a file without a name until it is answered, or a stored
// file on its way out. The descriptor is the file: nothing is left behind when the process dies.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/base.h"

namespace rootstock::http {

class BodyFile {
public:
    // A new file in `folder`, for writing and reading, that is gone when it is closed. io: the disk refuses.
    static Result<BodyFile> temporary(const std::filesystem::path& folder);
    static Result<BodyFile> open(const std::filesystem::path& path);  // for reading; not_found, io

    BodyFile(BodyFile&& other) noexcept;
    BodyFile& operator=(BodyFile&&) = delete;
    ~BodyFile();

    Result<void> append(std::string_view bytes);                                     // io: no space left, most likely
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) const;  // 0 at the end
    std::uint64_t size() const { return size_; }

private:
    BodyFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

    int descriptor_;
    std::uint64_t size_;
};

}  // namespace rootstock::http
