#pragma once
// Whole files in and out, digests, and folders that appear complete or not at all.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rootstock {

// The whole file; `bytes_max` bounds memory (too_large beyond it).
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max = std::size_t{1} << 30);

// Writes to a temporary name in the same folder, syncs file and folder, renames. A reader sees the old bytes
// or the new ones, also after a crash.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Creates `folder.partial-XXXX` beside `folder`, lets `fill` write into it, syncs everything and renames it to
// `folder`. If fill fails nothing is left. `folder` must not exist yet (already_exists).
Result<void> publish_folder(const std::filesystem::path& folder,
                            const std::function<Result<void>(const std::filesystem::path&)>& fill);

// SHA-256 (FIPS 180-4) in lower-case hexadecimal.
std::string sha256_hex(std::string_view bytes);
Result<std::string> sha256_file(const std::filesystem::path& path);

// The SHA-256 fed piece by piece.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void add(std::string_view bytes);
    std::string hex();  // finishes; call once

private:
    void* context_;
};

}  // namespace rootstock
