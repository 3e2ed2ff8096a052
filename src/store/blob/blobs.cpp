#include "store/blob/blobs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace rootstock::store {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t name_digits = 32;

std::unexpected<Error> refused(const char* step, const fs::path& path) {
    return fail(ErrorCode::io, std::string("cannot ") + step + " " + path.string() + ": " + std::strerror(errno));
}

Result<void> sync_folder(const fs::path& folder) {
    int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return refused("open", folder);
    bool synced = ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (!synced) return refused("sync", folder);
    return {};
}

Result<void> make_folder(const fs::path& folder) {
    std::error_code code;
    if (!fs::create_directories(folder, code) && !fs::is_directory(folder))
        return fail(ErrorCode::io, "cannot create " + folder.string() + ": " + code.message());
    return {};
}

}  // namespace

NewBlob::NewBlob(int descriptor, fs::path path)
    : descriptor_(descriptor),
      path_(std::move(path)),
      sha256_(std::make_unique<Sha256>()),
      md5_(std::make_unique<Md5>()) {}

NewBlob::NewBlob(NewBlob&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::exchange(other.path_, {})),
      bytes_(other.bytes_),
      sha256_(std::move(other.sha256_)),
      md5_(std::move(other.md5_)) {}

NewBlob::~NewBlob() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> NewBlob::append(std::string_view bytes) {
    sha256_->add(bytes);
    md5_->add(bytes);
    while (!bytes.empty()) {
        auto written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return refused("write", path_);
        bytes_ += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<NewBlob> Blobs::begin() const {
    ROOTSTOCK_CHECKED(make_folder(incoming()));
    auto name = (incoming() / "blob-XXXXXX").string();
    int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) return refused("write in", incoming());
    return NewBlob(descriptor, name);
}

Result<BlobFacts> Blobs::keep(NewBlob blob, const BlobKey& key) const {
    auto to = path(key);
    bool fresh = !fs::exists(to.parent_path());
    ROOTSTOCK_CHECKED(make_folder(to.parent_path()));
    if (::fsync(blob.descriptor_) != 0) return refused("sync", blob.path_);
    if (::rename(blob.path_.c_str(), to.c_str()) != 0) return refused("rename to", to);
    blob.path_.clear();
    ROOTSTOCK_CHECKED(sync_folder(to.parent_path()));
    if (fresh) ROOTSTOCK_CHECKED(sync_folder(root_));
    return BlobFacts{blob.bytes_, blob.sha256_->hex(), blob.md5_->hex()};
}

Result<BlobFacts> Blobs::keep(std::string_view bytes, const BlobKey& key) const {
    ROOTSTOCK_TRY(blob, begin());
    ROOTSTOCK_CHECKED(blob.append(bytes));
    return keep(std::move(blob), key);
}

fs::path Blobs::path(const BlobKey& key) const {
    auto folder = sha256_hex(key.owner).substr(0, name_digits);
    return root_ / folder / sha256_hex(key.owner + '\0' + key.id).substr(0, name_digits);
}

void Blobs::remove(const BlobKey& key) const {
    std::error_code code;
    fs::remove(path(key), code);
    if (code) spdlog::warn("a removed file stays on the disk: {}", code.message());
}

void Blobs::clear_incoming() const {
    std::error_code code;
    fs::create_directories(incoming(), code);
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
    for (const auto& entry : fs::directory_iterator(incoming(), code))
        if (entry.last_write_time(code) < old) fs::remove(entry.path(), code);
}

}  // namespace rootstock::store
