#include "flow/process/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace rootstock {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder, const std::string& who) {
    auto file = folder / "lock";
    int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(ErrorCode::io, "cannot write " + file.string() + ": " + std::strerror(errno));
    FolderLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK)
        return fail(ErrorCode::conflict, who + " is running; wait for it, or stop it", {}, "busy");
    return fail(ErrorCode::io, "cannot lock " + file.string() + ": " + std::strerror(errno));
}

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace rootstock
