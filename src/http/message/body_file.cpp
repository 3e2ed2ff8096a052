#include "http/message/body_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace rootstock::http {
namespace {

std::unexpected<Error> refused(const char* step, const std::filesystem::path& path) {
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                std::string("cannot ") + step + " " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

Result<BodyFile> BodyFile::temporary(const std::filesystem::path& folder) {
    auto name = (folder / "body-XXXXXX").string();
    int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) return refused("write in", folder);
    ::unlink(name.c_str());
    return BodyFile(descriptor, 0);
}

Result<BodyFile> BodyFile::open(const std::filesystem::path& path) {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return refused("read", path);
    struct stat facts {};
    if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        ::close(descriptor);
        return fail(ErrorCode::io, "cannot read " + path.string() + ": it is no file");
    }
    return BodyFile(descriptor, static_cast<std::uint64_t>(facts.st_size));
}

BodyFile::BodyFile(BodyFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

BodyFile::~BodyFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> BodyFile::append(std::string_view bytes) {
    while (!bytes.empty()) {
        auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(ErrorCode::io, std::string("cannot keep a body: ") + std::strerror(errno));
        size_ += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::size_t> BodyFile::read_at(std::uint64_t offset, std::span<char> bytes) const {
    for (;;) {
        auto got = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return fail(ErrorCode::io, std::string("cannot read a body: ") + std::strerror(errno));
    }
}

}  // namespace rootstock::http
