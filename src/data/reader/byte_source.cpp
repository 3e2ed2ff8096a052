#include "data/reader/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rootstock {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

}  // namespace

Result<ByteSource> ByteSource::open(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return fail(ErrorCode::invalid_argument, path.string() + " is a folder; name a file");
    ByteSource source{std::string()};
    source.file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (source.file_ < 0) {
        auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
        return fail(code, "cannot open " + path.string() + ": " + std::strerror(errno));
    }
    source.finished_ = false;
    if (!source.fill() && source.failed_)
        return fail(ErrorCode::io, "cannot read " + path.string() + ": " + std::strerror(errno));
    return source;
}

ByteSource::ByteSource(std::string bytes) : chunk_(std::move(bytes)), finished_(true) {}

ByteSource::ByteSource(ByteSource&& other) noexcept { *this = std::move(other); }

ByteSource& ByteSource::operator=(ByteSource&& other) noexcept {
    std::swap(file_, other.file_);
    chunk_ = std::move(other.chunk_);
    at_ = other.at_;
    line_ = other.line_;
    finished_ = other.finished_;
    failed_ = other.failed_;
    return *this;
}

ByteSource::~ByteSource() {
    if (file_ >= 0) ::close(file_);
}

// Reads a whole chunk, also from a pipe that gives little at a time. False at the end.
bool ByteSource::fill() {
    if (finished_) return false;
    chunk_.resize(chunk_bytes);
    at_ = 0;
    std::size_t filled = 0;
    while (filled < chunk_bytes) {
        auto got = ::read(file_, chunk_.data() + filled, chunk_bytes - filled);
        if (got < 0 && errno == EINTR) continue;
        failed_ = got < 0;
        finished_ = got <= 0;
        if (finished_) break;
        filled += static_cast<std::size_t>(got);
    }
    chunk_.resize(filled);
    return filled > 0;
}

int ByteSource::peek() {
    if (at_ == chunk_.size() && !fill()) return end;
    return static_cast<unsigned char>(chunk_[at_]);
}

int ByteSource::get() {
    int byte = peek();
    if (byte == end) return end;
    ++at_;
    line_ += byte == '\n';
    return byte;
}

}  // namespace rootstock
