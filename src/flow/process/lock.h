#pragma once
// A folder that one process at a time works in: a file `lock` inside it, held with flock(2). The kernel lets go of it
// when the process ends, however it ends.

#include <filesystem>

#include "base/base.h"

namespace rootstock {

class FolderLock {
public:
    // conflict: another living process holds it, in words of `who` ("another pull of hf:a/b").
    static Result<FolderLock> take(const std::filesystem::path& folder, const std::string& who);
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&&) = delete;
    ~FolderLock();

private:
    explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace rootstock
