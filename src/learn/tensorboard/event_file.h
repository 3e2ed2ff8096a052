#pragma once
// TensorBoard event files: scalars over steps, in the record format of TensorFlow.
//
//   record = u64 length | u32 masked crc32c(length) | data | u32 masked crc32c(data)      all little-endian
//   masked(c) = rotate_right(c, 15) + 0xa282ead8
//   data = protobuf Event { 1: double wall_time, 2: int64 step, 3: string file_version "brain.Event:2" (first record),
//                           5: Summary { 1: Value { 1: string tag, 2: float simple_value } } }
//
// The name holds "tfevents", which is how TensorBoard finds the file: events.out.tfevents.<seconds>.<host>.<pid>.<n>.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock {

class TensorboardFile {
public:
    // Creates the folder and a new file in it.
    static Result<TensorboardFile> create(const std::filesystem::path& folder, Clock& clock);

    void scalar(std::string_view tag, std::int64_t step, double value);
    void flush() { std::fflush(file_.get()); }
    const std::filesystem::path& path() const { return path_; }

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    TensorboardFile(std::FILE* file, std::filesystem::path path, Clock& clock)
        : file_(file), path_(std::move(path)), clock_(&clock) {}
    void write_record(const std::string& data);

    std::unique_ptr<std::FILE, Close> file_;
    std::filesystem::path path_;
    Clock* clock_;
};

// CRC-32C (Castagnoli), as in RFC 3720.
std::uint32_t crc32c(std::string_view bytes);
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace rootstock
