#include "base/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/unsynced.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

std::unexpected<Error> system_failure(const fs::path& path, const char* step) {
    std::string why = std::strerror(errno);
    auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    return fail(code, "cannot " + std::string(step) + " " + path.string() + ": " + why);
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }
    bool open() const { return number_ >= 0; }

private:
    int number_;
};

Result<void> write_all(int descriptor, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        auto written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_failure(path, "write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> sync_path(const fs::path& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) return system_failure(path, "open");
    if (::fsync(file.number()) != 0) return system_failure(path, "sync");
    return {};
}

fs::path parent_of(const fs::path& path) {
    auto parent = path.parent_path();
    return parent.empty() ? fs::path(".") : parent;
}

Result<void> sync_tree(const fs::path& folder) {
    std::error_code code;
    for (const auto& entry : fs::recursive_directory_iterator(folder, code)) ROOTSTOCK_CHECKED(sync_path(entry.path()));
    if (code) return fail(ErrorCode::io, "cannot list " + folder.string() + ": " + code.message());
    return sync_path(folder);
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) return system_failure(path, "read");
    struct stat facts {};
    if (::fstat(file.number(), &facts) != 0) return system_failure(path, "read");
    if (S_ISDIR(facts.st_mode)) return fail(ErrorCode::invalid_argument, path.string() + " is a folder, not a file");
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(std::max<off_t>(facts.st_size, 0)) + 1);
    std::vector<char> piece(std::size_t{1} << 16);
    for (;;) {
        auto got = ::read(file.number(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_failure(path, "read");
        if (got == 0) return bytes;
        if (bytes.size() + static_cast<std::size_t>(got) > bytes_max)
            return fail(ErrorCode::too_large,
                        path.string() + " is larger than " + std::to_string(bytes_max) + " bytes");
        bytes.append(piece.data(), static_cast<std::size_t>(got));
    }
}

namespace {

Result<void> write_and_rename(const fs::path& path, std::string_view bytes, bool sync) {
    fs::path temporary = path;
    temporary += ".partial-" + secret_base62(8);
    auto write = [&]() -> Result<void> {
        Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        if (!file.open()) return system_failure(temporary, "create");
        ROOTSTOCK_CHECKED(write_all(file.number(), bytes, temporary));
        if (sync && ::fsync(file.number()) != 0) return system_failure(temporary, "sync");
        return {};
    };
    auto written = write();
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = system_failure(path, "rename to");
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return sync ? sync_path(parent_of(path)) : Result<void>();
}

}  // namespace

Result<void> write_file_atomically(const fs::path& path, std::string_view bytes) {
    return write_and_rename(path, bytes, true);
}

Result<void> write_file_unsynced(const fs::path& path, std::string_view bytes) {
    return write_and_rename(path, bytes, false);
}

Result<void> publish_folder(const fs::path& folder, const std::function<Result<void>(const fs::path&)>& fill) {
    std::error_code code;
    if (fs::exists(folder, code)) return fail(ErrorCode::already_exists, folder.string() + " is already there");
    fs::path temporary = folder;
    temporary += ".partial-" + secret_base62(8);
    if (!fs::create_directories(temporary, code) || code)
        return fail(ErrorCode::io, "cannot create " + temporary.string() + ": " + code.message());
    auto filled = fill(temporary);
    if (filled) filled = sync_tree(temporary);
    if (filled && ::rename(temporary.c_str(), folder.c_str()) != 0) filled = system_failure(folder, "rename to");
    if (!filled) {
        fs::remove_all(temporary, code);
        return filled;
    }
    return sync_path(parent_of(folder));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    ROOTSTOCK_CHECK(context_ && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) == 1,
                    "SHA-256 is not to be had from OpenSSL");
}

Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Sha256::add(std::string_view bytes) {
    ROOTSTOCK_CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1,
                    "SHA-256 refused bytes");
}

std::string Sha256::hex() {
    unsigned char digest[32];
    unsigned int length = 0;
    ROOTSTOCK_CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest, &length) == 1 && length == 32,
                    "SHA-256 did not finish");
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (auto byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 sha;
    sha.add(bytes);
    return sha.hex();
}

Result<std::string> sha256_file(const fs::path& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) return system_failure(path, "read");
    Sha256 sha;
    std::vector<char> piece(std::size_t{1} << 20);
    for (;;) {
        auto got = ::read(file.number(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_failure(path, "read");
        if (got == 0) return sha.hex();
        sha.add({piece.data(), static_cast<std::size_t>(got)});
    }
}

}  // namespace rootstock
