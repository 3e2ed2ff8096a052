#pragma once
// Bytes of a file in chunks, one at a time, with the line they stand on. Memory stays at one chunk.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock {

class ByteSource {
public:
    static constexpr int end = -1;

    static Result<ByteSource> open(const std::filesystem::path& path);
    explicit ByteSource(std::string bytes);  // from memory: for looking at a sample
    ByteSource(ByteSource&& other) noexcept;
    ByteSource& operator=(ByteSource&& other) noexcept;
    ~ByteSource();

    // The next byte (0 to 255) or `end`; peek leaves it there.
    int get();
    int peek();
    std::int64_t line() const { return line_; }  // 1-based line of the next byte; "\n" ends a line

    // What is in memory and not yet read: right after open, the beginning of the file (at most one chunk).
    std::string_view ahead() const { return std::string_view(chunk_).substr(at_); }
    bool all_in_memory() const { return finished_; }
    void skip(std::size_t bytes) { at_ += bytes; }  // of ahead(), without line ends

    bool failed() const { return failed_; }  // the system refused to read on

private:
    bool fill();

    int file_ = -1;
    std::string chunk_;
    std::size_t at_ = 0;
    std::int64_t line_ = 1;
    bool finished_ = false;
    bool failed_ = false;
};

}  // namespace rootstock
