#include "model/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace rootstock {

namespace {

struct Descriptor {
    int number;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

constexpr std::size_t kCopiedMax = std::size_t{1} << 20;
constexpr std::align_val_t kAlignment{64};  // of a cache line, as a mapping has it

std::unexpected<Error> refused(const std::filesystem::path& path) {
    const auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    return fail(code, "cannot read " + path.string() + ": " + std::strerror(errno));
}

// The file's first `size` bytes; null with errno when it cannot be read or has become shorter.
std::byte* copied(int file, std::size_t size) {
    auto* data = static_cast<std::byte*>(::operator new(size, kAlignment));
    for (std::size_t done = 0; done < size;) {
        const auto count = ::pread(file, data + done, size - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count > 0) {
            done += static_cast<std::size_t>(count);
            continue;
        }
        const int reason = count == 0 ? EIO : errno;
        ::operator delete(data, kAlignment);
        errno = reason;
        return nullptr;
    }
    return data;
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.number < 0) return refused(path);
    struct stat facts {};
    if (::fstat(file.number, &facts) != 0) return refused(path);
    if (!S_ISREG(facts.st_mode)) return fail(ErrorCode::invalid_argument, path.string() + " is not a regular file");
    const auto size = static_cast<std::size_t>(facts.st_size);
    if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(nullptr, 0, false));
    if (size <= kCopiedMax) {
        const auto* bytes = copied(file.number, size);
        if (!bytes) return refused(path);
        return std::shared_ptr<const MappedFile>(new MappedFile(bytes, size, false));
    }
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number, 0);
    if (data == MAP_FAILED) return refused(path);
    return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size, true));
}

MappedFile::~MappedFile() {
    auto* data = const_cast<std::byte*>(data_);
    if (mapped_)
        ::munmap(data, size_);
    else if (data)
        ::operator delete(data, kAlignment);
}

void MappedFile::release_pages() const {
    if (mapped_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

}  // namespace rootstock
