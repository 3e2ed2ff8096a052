#pragma once
// Bytes of customers, in files of the home folder. A blob is known by (owner, id), the owner first: no key, however it
// was come by, reaches into another owner's bytes. Names on disk are digests of the keys, so that an id is never a
// path:
//
//   <root>/<first 32 digits of SHA-256(owner)>/<first 32 digits of SHA-256(owner, 0 byte, id)>
//   <root>/incoming/...   being written; what a crash leaves over is cleared an hour later
//
// A blob appears complete or not at all and never changes. The records (catalog/) say which blobs there are: the blob
// is written before its record and removed after it, so a crash leaves a blob without a record, never the reverse.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/base.h"
#include "store/blob/md5.h"

namespace rootstock::store {

struct BlobKey {
    std::string owner;
    std::string id;
};

struct BlobFacts {
    std::uint64_t bytes = 0;
    std::string sha256, md5;
};

// A blob on its way to the disk. Dropping it leaves nothing.
class NewBlob {
public:
    NewBlob(NewBlob&& other) noexcept;
    NewBlob& operator=(NewBlob&&) = delete;
    ~NewBlob();

    Result<void> append(std::string_view bytes);  // io: no space left, most likely
    std::uint64_t bytes() const { return bytes_; }

private:
    friend class Blobs;
    NewBlob(int descriptor, std::filesystem::path path);

    int descriptor_;
    std::filesystem::path path_;
    std::uint64_t bytes_ = 0;
    std::unique_ptr<Sha256> sha256_;
    std::unique_ptr<Md5> md5_;
};

class Blobs {
public:
    explicit Blobs(std::filesystem::path root) : root_(std::move(root)) {}

    Result<NewBlob> begin() const;
    // Makes it durable under its key; a blob of the same key is replaced.
    Result<BlobFacts> keep(NewBlob blob, const BlobKey& key) const;
    Result<BlobFacts> keep(std::string_view bytes, const BlobKey& key) const;

    std::filesystem::path path(const BlobKey& key) const;  // to read from; may name nothing
    void remove(const BlobKey& key) const;                 // one that is not there is fine

    // Makes the place for blobs on their way, and removes what writers that died left there an hour ago or longer.
    void clear_incoming() const;
    std::filesystem::path incoming() const { return root_ / "incoming"; }

private:
    std::filesystem::path root_;
};

}  // namespace rootstock::store
