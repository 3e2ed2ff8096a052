#include "model/files/written_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "model/files/mapped_file.h"

namespace rootstock {

namespace fs = std::filesystem;

namespace {

std::unexpected<Error> refused(const fs::path& path, const char* step) {
    return fail(ErrorCode::io, "cannot " + std::string(step) + " " + path.string() + ": " + std::strerror(errno));
}

struct Descriptor {
    int number;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

Result<void> write_all(int file, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const auto written = ::write(file, bytes.data(), std::min(bytes.size(), std::size_t{1} << 30));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return refused(path, "write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> fill(const fs::path& path, std::span<const std::string_view> pieces) {
    const Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (file.number < 0) return refused(path, "create");
    for (const auto piece : pieces) ROOTSTOCK_CHECKED(write_all(file.number, piece, path));
    if (::fsync(file.number) != 0) return refused(path, "sync");
    return {};
}

Result<void> compare(const fs::path& path, std::span<const std::string_view> pieces) {
    ROOTSTOCK_TRY(file, MappedFile::open(path));
    std::string_view found(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
    for (const auto piece : pieces) {
        if (!found.starts_with(piece))
            return fail(ErrorCode::corrupt,
                        path.string() + " reads back other than it was written; check the disk and try again");
        found.remove_prefix(piece.size());
    }
    if (found.empty()) return {};
    return fail(ErrorCode::corrupt, path.string() + " is longer than what was written; check the disk and try again");
}

Result<void> sync_folder(const fs::path& path) {
    const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    const Descriptor folder{::open(parent.c_str(), O_RDONLY | O_CLOEXEC)};
    if (folder.number < 0 || ::fsync(folder.number) != 0) return refused(parent, "sync");
    return {};
}

}  // namespace

Result<void> write_pieces(const fs::path& path, std::span<const std::string_view> pieces) {
    fs::path temporary = path;
    temporary += ".partial-" + secret_base62(8);
    auto done = fill(temporary, pieces);
    if (done) done = compare(temporary, pieces);
    if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = refused(path, "rename to");
    if (!done) {
        ::unlink(temporary.c_str());
        return done;
    }
    return sync_folder(path);
}

}  // namespace rootstock
