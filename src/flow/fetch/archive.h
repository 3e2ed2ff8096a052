#pragma once
// Zip files from strangers (APPNOTE 6.3; wheels are zip files, PEP 427), read so that nothing leaves the folder it is
// unpacked into and nothing swells beyond its limits.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct ArchiveLimits {
    std::size_t entries_max = 20'000;
    std::uint64_t bytes_max = std::uint64_t{64} << 30;  // all entries, unpacked
    std::uint64_t ratio_max = 200;                      // unpacked to packed size of an entry beyond 1 MiB
};

class Archive {
public:
    struct Entry {
        std::string path;  // relative, with '/', checked: no "..", no root, no backslash, no control character
        std::uint64_t bytes = 0;
        std::uint64_t index = 0;
    };

    // Reads the directory of the file and checks every entry. corrupt: no zip file, or one that contradicts itself;
    // invalid_argument: an entry that points outside, a link, an encrypted one; too_large: beyond the limits.
    static Result<Archive> open(const std::filesystem::path& file, const ArchiveLimits& limits = {});
    Archive(Archive&&) noexcept;
    ~Archive();

    const std::vector<Entry>& entries() const { return entries_; }  // files only, in the archive's order
    const Entry* find(const std::string& path) const;

    // Unpacks one entry into a new file; its checksum must be right. `on_bytes` hears of every piece.
    Result<void> extract(const Entry& entry, const std::filesystem::path& to,
                         const std::function<void(std::uint64_t)>& on_bytes = {}) const;
    // A small entry as text; too_large beyond `bytes_max`.
    Result<std::string> read(const Entry& entry, std::size_t bytes_max = std::size_t{16} << 20) const;

private:
    struct Handle;
    Archive(std::unique_ptr<Handle> handle, std::string name);
    Result<void> each_piece(const Entry& entry, const std::function<Result<void>(std::string_view)>& use) const;

    std::unique_ptr<Handle> handle_;
    std::string name_;
    std::vector<Entry> entries_;
};

// Is this a path that stays below the folder it is joined to?
bool is_safe_relative_path(std::string_view path);

}  // namespace rootstock
